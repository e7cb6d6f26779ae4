/** One line on standard error, with the prefix that tells it from the service's own output. */
import { writeSync } from "node:fs";

/** Receives a sentence without a line end. */
export type Log = (message: string) => void;

/** `process.stderr` loads the stream and terminal modules; a raw write does not. */
export function logLine(message: string): void {
  try {
    writeSync(2, `lambdaflex: ${message}\n`);
  } catch {
    // Standard error is closed or its pipe is full: a lost line must not stop the service.
  }
}
