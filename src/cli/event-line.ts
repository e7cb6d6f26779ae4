/** How an event of the engine reads on one line. */
import type { EngineEvent } from "../core/index.ts";
import { paint } from "./screen.ts";

/** The message of an event, with weight on decisions and failures. */
export function eventLine(event: EngineEvent): string {
  if (event.type === "failure") return paint("red", event.message);
  if (event.type === "decision") return paint("bold", event.message);
  return event.message;
}
