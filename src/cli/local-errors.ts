/** What can go wrong on the user's side while the local cloud starts, as coded mistakes. */
import { UserError } from "../config/errors.ts";
import { ServiceNotReady } from "../local/rehearsal.ts";

/** Turns operating failures that a person can mend into a UserError; leaves the others alone. */
export function asUserError(error: unknown): unknown {
  if (error instanceof ServiceNotReady) return serviceError(error.message);
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "EADDRINUSE") {
    const hint = "Stop the program that listens there, or choose another port.";
    return new UserError("PORT_IN_USE", message, hint);
  }
  if (code === "EACCES" || code === "EROFS" || code === "ENOSPC" || code === "EPERM") {
    const hint = "The state is kept in .lambdaflex beside the configuration: make it writable.";
    return new UserError("STATE_UNREADABLE", `${code}: ${message}`, hint);
  }
  return error;
}

/** Names what the service did instead of answering. */
export function serviceError(reason: string): UserError {
  if (/not found|ENOENT|code 127/i.test(reason)) {
    const hint = "Check `command` in the configuration; it runs in the configuration's folder.";
    return new UserError("SERVICE_COMMAND_NOT_FOUND", reason, hint);
  }
  if (/exit|crash|ended/i.test(reason)) {
    const hint = "Start the command by hand with PORT set, and see why it ends.";
    return new UserError("SERVICE_CRASHED", reason, hint);
  }
  const hint =
    "It must listen on 127.0.0.1:$PORT and answer 200 to 299 at `readiness.path` in time.";
  return new UserError("SERVICE_NOT_READY", reason, hint);
}
