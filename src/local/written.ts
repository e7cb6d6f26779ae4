/**
 * The files that lambdaflex itself writes. They may lie in the folder whose changes it follows,
 * where each restart of the service would write to them, and so begin the next one.
 */
import { fstatSync, type Stats, statSync } from "node:fs";

/** A path, or the number of an open file, such as 1 for standard output. */
export type Written = string | number;

/** Tells by its identity whether a file is one of `written`, whatever it is called. */
export function isWritten(written: readonly Written[]): (info: Stats) => boolean {
  const known = new Set(written.flatMap(identityOf));
  return (info) => known.has(`${info.dev}:${info.ino}`);
}

/** Whether there is one of `written` at a path. */
export function isWrittenAt(path: string, written: readonly Written[]): boolean {
  return identityOf(path).some((found) => written.flatMap(identityOf).includes(found));
}

/** None for what does not exist yet, and for what is no file: a terminal or a pipe. */
function identityOf(one: Written): readonly string[] {
  try {
    const info = typeof one === "number" ? fstatSync(one) : statSync(one);
    return info.isFile() ? [`${info.dev}:${info.ino}`] : [];
  } catch {
    return [];
  }
}
