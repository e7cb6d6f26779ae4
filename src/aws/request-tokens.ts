/**
 * Tokens that make requests to CloudFormation safe to repeat: same request, same token. AWS does
 * not say for how long it remembers one, nor whether for a stack or for the account: so none is
 * ever used again, not by another application, nor after the table was lost.
 */
import { createHash } from "node:crypto";

/** The token of a creation that was decided at that time. */
export function createToken(stackName: string, decidedAtMs: number): string {
  return `create-${stackName}-${decidedAtMs}`;
}

/** What a burst stack is to be brought to. */
export interface Wanted {
  readonly taskDefinition: string;
  readonly blueprint: string;
}

/** How the tokens of all updates begin. */
const updateStart = "update-";

/** Whether a token is that of an update, whatever to. */
export function isUpdateToken(token: string): boolean {
  return token.startsWith(updateStart);
}

/** How the tokens of updates to what is wanted begin. */
export function updateTokenStart({ taskDefinition, blueprint }: Wanted): string {
  const digest = createHash("sha256").update(`${taskDefinition} ${blueprint}`).digest("hex");
  return `${updateStart}${digest.slice(0, 16)}-`;
}

/** The token of an update to what is wanted of a stack that was last changed at that time. */
export function updateToken(wanted: Wanted, changedAtMs: number): string {
  return `${updateTokenStart(wanted)}${changedAtMs}`;
}

/** The token of one attempt to remove one stack, or to continue its rollback. */
export function removeToken(stackId: string, attempt: number): string {
  return `remove-${stackId.slice(stackId.lastIndexOf("/") + 1)}-${attempt}`;
}
