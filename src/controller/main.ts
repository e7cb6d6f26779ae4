/** The entry of the bundle: the handler of AWS Lambda with the real clock. */
import { setTimeout as delay } from "node:timers/promises";
import { type ControllerHandler, createHandler } from "./handler.ts";

export { createHandler };

let made: ControllerHandler | null = null;

/**
 * What Lambda calls. An invocation that failed ends with an error, so that the alarm on the
 * function's errors rings when nothing works any more.
 */
export const handler: ControllerHandler = async (event, context) => {
  made ??= createHandler({
    environment: process.env,
    nowMs: () => Date.now(),
    sleep: (ms) => delay(ms),
    write: (line) => process.stdout.write(`${line}\n`),
  });
  const result = await made(event, context);
  if (result.outcome === "failed") throw new Error(result.failure);
  return result;
};
