/** A record of the past on one line. */
import type { RunRecord } from "../core/record.ts";
import type { Paint } from "./screen.ts";
import { clockTime } from "./status-text.ts";

/** The line of a record, `null` for what is only shown live. */
export function historyLine(record: RunRecord, paint: Paint): string | null {
  const line = (atMs: number, kind: string, text: string): string =>
    `${paint("dim", clockTime(atMs))}  ${kind.padEnd(11)} ${text}`;
  if (record.type === "run") {
    const { atMs, command, service, speed } = record;
    const quick = speed === 1 ? "" : `, ${speed} × as fast`;
    return line(atMs, "run", paint("dim", `${command} of ${service} begins${quick}`));
  }
  if (record.type === "alarm") {
    if (record.state === "INSUFFICIENT_DATA") return null;
    const state = record.state === "ALARM" ? paint("yellow", "ALARM") : "OK";
    return line(record.atMs, "alarm", `${record.name}: ${state}`);
  }
  if (record.type === "event") {
    const { atMs, type, message } = record.event;
    const weight = type === "failure" ? "red" : type === "decision" ? "bold" : null;
    return line(atMs, type, weight === null ? message : paint(weight, message));
  }
  if (record.type === "end") return line(record.atMs, "end", record.message);
  return null;
}
