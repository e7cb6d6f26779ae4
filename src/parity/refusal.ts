/**
 * Which limits of the smaller tier a request and its direct answer may pass. Only then is a refusal
 * there the tier's own; the same status for anything else is the service's, and a finding.
 */
import type { Observed, ReplayRequest } from "./observed.ts";

/** What a tier may refuse by itself. */
export interface Refusable {
  readonly request: boolean;
  readonly answer: boolean;
  readonly head: boolean;
  readonly asterisk: boolean;
}

/** Less than the limits themselves: what is near to one may pass it by what is added on the way. */
const eventBytes = 6_000_000;
const headBytes = 9_800;

/** What may be refused of a request, and of the answer that it gets directly. */
export function refusableOf(request: ReplayRequest, direct: Observed): Refusable {
  const { method, target, headers, body } = request;
  const fields = headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  return {
    request: eventLength(body) > eventBytes,
    answer: direct.type === "answer" && eventLength(direct.body) > eventBytes,
    head: method.length + target.length + fields > headBytes,
    asterisk: target === "*",
  };
}

/** The longer one of both ways in which a body may be written into an event. */
function eventLength(body: Uint8Array | null): number {
  if (body === null) return 0;
  const binary = (body.length * 4) / 3;
  if (binary > eventBytes || binary * 6 <= eventBytes) return binary;
  return Math.max(binary, JSON.stringify(new TextDecoder().decode(body)).length);
}
