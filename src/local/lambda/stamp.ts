/** What the front door adds to a request: an id, a trace, the time. */
import { randomUUID } from "node:crypto";
import type { RequestStamp } from "./event.ts";

let stamped = { seconds: 0, digits: "0" };

/** Root of a trace that another part of AWS began, with what may follow it. */
const foreignTrace = /^(?:Self=[^;\s]+;)?Root=1-[0-9a-f]{8}-[0-9a-f]{24}(?:;[A-Za-z]+=[\w:-]+)*$/;

/** Identifies one request; a trace that the client is part of goes on. */
export function stampRequest(given?: string | string[]): RequestStamp {
  const requestId = randomUUID();
  // A request's date is what the service compares with its own clock, hence real epoch time.
  const epochMs = Date.now();
  const seconds = Math.floor(epochMs / 1000);
  if (seconds !== stamped.seconds) stamped = { seconds, digits: seconds.toString(16) };
  const random =
    requestId.slice(0, 8) +
    requestId.slice(9, 13) +
    requestId.slice(14, 18) +
    requestId.slice(19, 23) +
    requestId.slice(24, 28);
  const known = typeof given === "string" && given.length <= 200 && foreignTrace.test(given);
  const traceId = known ? given : `Root=1-${stamped.digits}-${random}`;
  return { requestId, traceId, epochMs };
}
