/** How long the policy of the service is: IAM refuses a longer one, but only when deployed. */
import { UserError } from "../config/index.ts";

/** IAM takes so many characters of a managed policy, white space aside. */
const policyCharactersMax = 6144;

/** Throws UserError if statements, resolved by CDK, are too long for one policy. */
export function checkPolicySize(statements: unknown): void {
  const characters = leastLength({ Version: "2012-10-17", Statement: statements });
  if (characters <= policyCharactersMax) return;
  throw new UserError(
    "CONFIG_VALUE_INVALID",
    `permissions and grants of the service are a policy of ${characters} characters; IAM allows ` +
      `${policyCharactersMax}`,
    "Name fewer resources, by a common beginning and *, or let one statement name them together.",
  );
}

/** Length of a value as JSON; what only CloudFormation knows counts as nothing. */
function leastLength(value: unknown): number {
  if (typeof value === "string") return JSON.stringify(value).replace(/\s/g, "").length;
  if (Array.isArray(value)) return listed(value.map(leastLength));
  if (typeof value !== "object" || value === null) return String(value).length;
  const entries = Object.entries(value);
  const [[name = "", of] = []] = entries;
  if (entries.length === 1 && name === "Fn::Join") return joined(of as readonly [string, unknown]);
  if (entries.length === 1 && /^(Ref$|Fn::)/.test(name)) return quotes;
  return listed(entries.map(([key, one]) => leastLength(key) + 1 + leastLength(one)));
}

const quotes = 2;

/** Brackets around, commas between. */
function listed(lengths: readonly number[]): number {
  const commas = Math.max(0, lengths.length - 1);
  return lengths.reduce((sum, length) => sum + length, quotes + commas);
}

function joined([separator, parts]: readonly [string, unknown]): number {
  if (!Array.isArray(parts)) return quotes;
  const between = separator.length * Math.max(0, parts.length - 1);
  return parts.reduce((sum: number, part) => sum + leastLength(part) - quotes, quotes + between);
}
