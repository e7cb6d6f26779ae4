/** What was used of a policy, and what was not. */
import type { Call } from "../loopback/server.ts";
import { allows, type Statement } from "./evaluate.ts";

/** Every action that the calls needed, and that was granted. */
export function usedActions(calls: readonly Call[], caller: string): ReadonlySet<string> {
  const own = calls.filter((call) => call.caller === caller);
  return new Set(own.flatMap(({ access }) => access.map(({ action }) => action)));
}

/** What the calls needed but no statement allows. */
export function refusedRequests(
  calls: readonly Call[],
  caller: string,
  statements: readonly Statement[],
): readonly string[] {
  const asked = calls.filter((call) => call.caller === caller).flatMap(({ access }) => access);
  const refused = asked.filter((one) => !statements.some((statement) => allows(statement, one)));
  return [...new Set(refused.map(({ action, resource }) => `${action} on ${resource}`))];
}

/** Actions of the policy that nobody used. */
export function unusedActions(
  statements: readonly Statement[],
  used: ReadonlySet<string>,
): readonly string[] {
  const allowed = new Set(statements.flatMap(({ actions }) => actions));
  return [...allowed].filter((action) => !used.has(action)).sort();
}

/** Rights that no call of the controller shows, with the reason for them. */
export const impliedRights: Readonly<Record<string, string>> = {
  "logs:CreateLogStream": "Lambda itself writes the log",
  "logs:PutLogEvents": "Lambda itself writes the log",
};
