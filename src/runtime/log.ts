/** One line on standard error, with the prefix that tells it from the service's own output. */

/**
 * Importing node:fs as a module makes Node fill in all its names, `fs.promises` among them, which
 * loads 30 more modules and shows as 3 MB.
 */
const { writeSync } = process.getBuiltinModule("node:fs");

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
