/** Client request tokens, as strictly as AWS's words about them can be read. */
import type { World } from "../../../world/world.ts";
import { AwsError } from "../../wire/protocol.ts";

const form = /^[a-zA-Z0-9][-a-zA-Z0-9]{0,127}$/;

/**
 * Runs a request once for its token: asked again it is answered as before, and nothing happens. A
 * token that was another request's, of whatever stack and however long ago, is refused.
 */
export function oncePerToken(
  world: World,
  token: string | undefined,
  request: string,
  run: () => object,
): object {
  if (token === undefined) return run();
  if (!form.test(token)) {
    throw new AwsError("ValidationError", `Value '${token}' at 'clientRequestToken' is malformed`);
  }
  const known = world.requestTokens.get(token);
  if (known === undefined) {
    const answer = run();
    world.requestTokens.set(token, { request, answer });
    return answer;
  }
  if (known.request === request) return known.answer;
  const message = `A client request token already exists: ${token}`;
  throw new AwsError("TokenAlreadyExistsException", message);
}
