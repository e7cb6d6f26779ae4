/** Tokens that make requests to CloudFormation safe to repeat: same request, same token. */
import { createHash } from "node:crypto";

/** The token of the creation of one generation of the stack. */
export function createToken(generation: number): string {
  return `create-${generation}`;
}

/** How the tokens of updates to a task definition begin. */
export function updateTokenStart(taskDefinition: string): string {
  const digest = createHash("sha256").update(taskDefinition).digest("hex");
  return `update-${digest.slice(0, 16)}-`;
}

/** The token of an update to a task definition of a stack that was last changed at that time. */
export function updateToken(taskDefinition: string, changedAtMs: number): string {
  return `${updateTokenStart(taskDefinition)}${changedAtMs}`;
}

/** The token of one attempt to remove, or to continue a rollback of, one generation. */
export function removeToken(generation: number, attempt: number): string {
  return `remove-${generation}-${attempt}`;
}
