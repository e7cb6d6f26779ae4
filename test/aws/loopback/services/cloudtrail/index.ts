/** CloudTrail: where the CDK looks for the cause of a failure. Always late, so empty. */
import { access, operation, type Service } from "../../service.ts";
import { json } from "../../wire/json.ts";

/** The service. */
export const cloudtrail: Service = {
  scope: "cloudtrail",
  protocol: json,
  operations: {
    LookupEvents: operation<object>(
      () => ({ Events: [] }),
      () => access("cloudtrail:LookupEvents", "*"),
    ),
  },
};
