/** What can go wrong on the user's side while the local cloud starts, as coded mistakes. */
import { type ErrorCode, UserError } from "../config/errors.ts";
import { type FaultKind, ServiceFailed } from "../local/fault.ts";
import { StateForeign } from "../local/state-file.ts";

/** What the file system says when the state can not be kept. */
const stateCodes = new Set(["EACCES", "EPERM", "EROFS", "ENOSPC", "ENOTDIR", "EEXIST", "EISDIR"]);

const mistakes: Readonly<Record<FaultKind, readonly [ErrorCode, string]>> = {
  "command-not-found": [
    "SERVICE_COMMAND_NOT_FOUND",
    "Check `command` in the configuration; it runs in the configuration's folder.",
  ],
  crashed: [
    "SERVICE_CRASHED",
    "Start the command by hand with PORT set, send it such a request, and see why it ends.",
  ],
  "not-ready": [
    "SERVICE_NOT_READY",
    "It must listen on 127.0.0.1:$PORT and answer 200 to 299 at `readiness.path` in time.",
  ],
  "timed-out": [
    "SERVICE_TIMED_OUT",
    "Start the command by hand with PORT set, send it that request, and see what it waits for.",
  ],
  "answer-invalid": [
    "SERVICE_ANSWER_INVALID",
    "Start the command by hand with PORT set and ask it with curl -v: it must speak HTTP/1.1.",
  ],
  "answer-too-large": [
    "SERVICE_ANSWER_TOO_LARGE",
    "Lambda carries 6 MB: answer in pages, or with the address of a file kept elsewhere.",
  ],
};

/** Turns operating failures that a person can mend into a UserError; leaves the others alone. */
export function asUserError(error: unknown): unknown {
  if (error instanceof ServiceFailed) return serviceError(error);
  if (error instanceof StateForeign) {
    const hint = "Remove the folder .lambdaflex beside the configuration: a new state begins.";
    return new UserError("STATE_UNREADABLE", error.message, hint);
  }
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "EADDRINUSE") {
    const hint = "Stop the program that listens there, or choose another port.";
    return new UserError("PORT_IN_USE", message, hint);
  }
  if (code !== undefined && stateCodes.has(code)) {
    const hint = "The state is kept in .lambdaflex beside the configuration: make it writable.";
    return new UserError("STATE_UNREADABLE", `${code}: ${message}`, hint);
  }
  return error;
}

/** Names what the service did instead of answering. */
function serviceError({ kind, message }: ServiceFailed): UserError {
  const [code, hint] = mistakes[kind];
  return new UserError(code, message, hint);
}
