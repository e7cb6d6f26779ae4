/** What CloudFormation does, resource by resource: a live picture, or a line each. */
import type { StackEvent } from "@aws-sdk/client-cloudformation";
import { paint, type Screen, span } from "../screen.ts";

/** Follows the resources of one stack at a time. */
export interface StackProgress {
  /** Takes an event of the stack. */
  event(event: StackEvent): void;
  /** A line that stays, above the picture. */
  say(line: string): void;
  /** Draws anew: how long things take changes without any event. */
  tick(): void;
  /** Removes the picture. */
  close(): void;
}

interface Underway {
  readonly type: string;
  readonly status: string;
  /** When we heard of it, on our own clock. */
  readonly sinceMs: number;
  /** When it began, on the clock of CloudFormation. */
  readonly atMs: number;
}

/** Names of resources as people wrote them; what follows only makes them unique. */
function nameOf(logicalId: string): string {
  return logicalId.replace(/(?<=.)[0-9A-F]{8}$/, "");
}

/** Lines of the picture; the screen cuts what does not fit. */
const linesMax = 12;

const done: Readonly<Record<string, string>> = {
  CREATE_COMPLETE: "created",
  UPDATE_COMPLETE: "updated",
  DELETE_COMPLETE: "removed",
  DELETE_SKIPPED: "kept",
};

/** Shows progress on a screen; `nowMs` is real time. */
export function stackProgress(screen: Screen, nowMs: () => number): StackProgress {
  const underway = new Map<string, Underway>();
  let finished = 0;
  const draw = (): void => {
    if (underway.size === 0) return;
    const rows = [...underway].slice(0, linesMax).map(([id, { type, status, sinceMs }]) => {
      const what = status
        .replace(/_IN_PROGRESS$/, "")
        .toLowerCase()
        .replaceAll("_", " ");
      const kind = paint("dim", type);
      return `  ${paint("cyan", what.padEnd(8))} ${id}  ${kind}  ${span(nowMs() - sinceMs)}`;
    });
    const rest = underway.size - rows.length;
    const more = rest > 0 ? `, ${rest} more` : "";
    screen.picture([
      ...rows,
      paint("dim", `  ${finished} done, ${underway.size} under way${more}`),
    ]);
  };
  return {
    event(event) {
      const id = nameOf(event.LogicalResourceId ?? "");
      const atMs = event.Timestamp?.getTime() ?? nowMs();
      const { ResourceType: type = "" } = event;
      const { ResourceStatus: status = "", ResourceStatusReason: reason = "" } = event;
      if (status.endsWith("_IN_PROGRESS")) {
        const { sinceMs = nowMs(), atMs: begunMs = atMs } = underway.get(id) ?? {};
        underway.set(id, { type, status, sinceMs, atMs: begunMs });
        draw();
        return;
      }
      const begunMs = underway.get(id)?.atMs;
      underway.delete(id);
      finished += 1;
      const took = begunMs === undefined ? "" : paint("dim", `  ${span(atMs - begunMs)}`);
      if (status.endsWith("_FAILED")) {
        screen.say(`  ${paint("red", "failed  ")} ${id}  ${paint("dim", type)}: ${reason}`);
      } else {
        const word = (done[status] ?? status.toLowerCase()).padEnd(8);
        screen.say(`  ${paint("green", word)} ${id}  ${paint("dim", type)}${took}`);
      }
      draw();
    },
    say(line) {
      screen.say(line);
      draw();
    },
    tick: draw,
    close() {
      underway.clear();
      screen.close();
    },
  };
}
