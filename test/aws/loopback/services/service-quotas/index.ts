/** Service Quotas: the two limits that a burst can run into. */
import type { GetServiceQuotaCommandInput } from "@aws-sdk/client-service-quotas";
import type { World } from "../../../world/world.ts";
import { access, operation, type Service } from "../../service.ts";
import { json } from "../../wire/json.ts";
import { AwsError } from "../../wire/protocol.ts";

function quotaOf(world: World, service: string, code: string): number {
  if (service === "lambda" && code === "L-B99A9384") return world.concurrencyQuota;
  if (service === "fargate" && code === "L-3032A538") return world.vcpuQuota;
  throw new AwsError("NoSuchResourceException", `no quota ${service} ${code}`, 400);
}

/** The service. */
export const serviceQuotas: Service = {
  scope: "servicequotas",
  protocol: json,
  operations: {
    GetServiceQuota: operation<GetServiceQuotaCommandInput>(
      (input, world) => {
        const { ServiceCode = "", QuotaCode = "" } = input;
        return { Quota: { ServiceCode, QuotaCode, Value: quotaOf(world, ServiceCode, QuotaCode) } };
      },
      () => access("servicequotas:GetServiceQuota", "*"),
    ),
  },
};
