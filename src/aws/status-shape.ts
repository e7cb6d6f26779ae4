/** What a stored status must look like: the table may be edited by hand. */
import { type Check, isNumber, isTrueOrFalse, object, oneOf, orNull } from "../core/shape-check.ts";

const isTier = oneOf("lambda", "fargate");

const isObject: Check = (value) =>
  value !== null && typeof value === "object" && !Array.isArray(value) ? null : "not an object";

const check = object({
  revision: isNumber,
  target: isTier,
  targetSinceMs: isNumber,
  tasks: isNumber,
  route: object({ lambda: isNumber, fargate: isNumber, fargateRecord: isTrueOrFalse }),
  shiftedAtMs: orNull(isNumber),
  syncedAtMs: orNull(isNumber),
  healthySinceMs: orNull(isNumber),
  probesOk: isNumber,
  holdUntilMs: orNull(isNumber),
  failures: isNumber,
  override: orNull(object({ tier: isTier, untilMs: orNull(isNumber) })),
  windowSeenMs: isNumber,
  policyState: isObject,
});

/** What is wrong with a value that should be a `Status`, `null` if nothing is. */
export const statusProblem: Check = check;
