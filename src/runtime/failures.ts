/** What an invocation can fail of, in the words that Lambda reports. */
import { EventError } from "./events.ts";
import { HttpError, type HttpFailure } from "./http-client.ts";
import { responseBytesMax as bytesMax } from "./responses.ts";
import type { FunctionError } from "./runtime-api.ts";
import type { Service } from "./service.ts";

/** The service answered with a status that AWS_LWA_ERROR_STATUS_CODES calls a failure. */
export class StatusError extends Error {
  override readonly name = "StatusError";
  constructor(status: number, body: Buffer) {
    super(JSON.stringify({ statusCode: status, body: body.toString() }));
  }
}

/** The time of the invocation is over. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
  constructor() {
    super("the service did not answer before the deadline");
  }
}

/**
 * A lost connection may be the first sign that the service has ended: the news of it gets this
 * long to arrive, so that the report names the exit status.
 */
const exitNewsMs = 100;

const httpFailures: Readonly<Record<HttpFailure, string>> = {
  refused: "Service.ConnectionRefused",
  reset: "Service.ConnectionReset",
  garbage: "Service.MalformedAnswer",
  "too-large": "Function.ResponseSizeTooLarge",
  aborted: "Service.Aborted",
};

/** Lambda's own words for a response that is too long. */
export const tooLarge: FunctionError = {
  type: httpFailures["too-large"],
  message: `Response payload size exceeded maximum allowed payload size (${bytesMax} bytes).`,
};

/** Says what went wrong. Throws what is not an operating failure but a bug. */
export async function explain(error: unknown, service: Service): Promise<FunctionError> {
  if (error instanceof EventError) {
    return { type: "Runtime.InvalidEvent", message: error.message };
  }
  if (error instanceof StatusError) {
    return { type: "Service.ErrorStatus", message: error.message };
  }
  if (error instanceof DeadlineError) {
    return { type: "Sandbox.Timedout", message: error.message };
  }
  if (!(error instanceof HttpError)) throw error;
  if (error.kind === "too-large") return tooLarge;
  const exit = service.exit ?? (await within(service.exited, exitNewsMs));
  if (exit) return { type: "Runtime.ExitError", message: `the service ended: ${exit.reason}` };
  return { type: httpFailures[error.kind], message: error.message };
}

async function within<T>(promise: Promise<T>, ms: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, ms, null);
  });
  const first = await Promise.race([promise, late]);
  clearTimeout(timer);
  return first;
}
