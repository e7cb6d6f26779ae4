/** How two outcomes of the same request differ, part by part. */
import type { Answered, Fields, Observed, SeenRequest } from "./observed.ts";

/** What can differ. */
export type Part =
  | "outcome"
  | "method"
  | "target"
  | "status"
  | "reason"
  | "header"
  | "header-names"
  | "header-order"
  | "body"
  | "trailers"
  | "interim";

/** One difference between the direct way and a tier. */
export interface Diff {
  readonly tier: "lambda" | "fargate";
  /** What the service saw, or what the client got. */
  readonly side: "request" | "answer";
  readonly part: Part;
  /** The header's lower-case name, else empty. */
  readonly name: string;
  /** `null`: not there. */
  readonly direct: string | null;
  readonly there: string | null;
}

type Add = (part: Part, name: string, direct: string | null, there: string | null) => void;

/** What the client got, compared. */
export function compareAnswers(tier: Diff["tier"], direct: Observed, there: Observed): Diff[] {
  const { diffs, add } = collector(tier, "answer");
  if (direct.type === "none" || there.type === "none") {
    const text = (one: Observed): string => (one.type === "none" ? one.reason : `${one.status}`);
    if (direct.type !== there.type) add("outcome", "", text(direct), text(there));
    return diffs;
  }
  if (direct.status !== there.status) add("status", "", `${direct.status}`, `${there.status}`);
  else if (direct.reason !== there.reason) add("reason", "", direct.reason, there.reason);
  compareFields(direct.headers, there.headers, add);
  compareLists("trailers", linesOf(direct.trailers), linesOf(there.trailers), add);
  compareLists("interim", direct.interim.map(String), there.interim.map(String), add);
  if (!sameBytes(direct.body, there.body)) {
    add("body", "", bodyText(direct), bodyText(there));
  }
  return diffs;
}

/** What the service saw, compared. */
export function compareSeen(tier: Diff["tier"], direct: SeenRequest, there: SeenRequest): Diff[] {
  const { diffs, add } = collector(tier, "request");
  if (direct.method !== there.method) add("method", "", direct.method, there.method);
  if (direct.target !== there.target) add("target", "", direct.target, there.target);
  compareFields(direct.headers, there.headers, add);
  compareLists("trailers", linesOf(direct.trailers), linesOf(there.trailers), add);
  if (direct.body !== there.body) add("body", "", direct.body, there.body);
  return diffs;
}

function collector(tier: Diff["tier"], side: Diff["side"]): { diffs: Diff[]; add: Add } {
  const diffs: Diff[] = [];
  const add: Add = (part, name, direct, there) => {
    diffs.push({ tier, side, part, name, direct, there });
  };
  return { diffs, add };
}

/** Whoever handles a connection writes these anew. */
const rewritten = new Set(["transfer-encoding", "connection", "host"]);

function compareFields(direct: Fields, there: Fields, add: Add): void {
  const [one, other] = [grouped(direct), grouped(there)];
  const alike = new Set<string>();
  for (const name of new Set([...one.keys(), ...other.keys()])) {
    const [values, found] = [one.get(name), other.get(name)];
    if (!values || !found || !sameList(values, found)) {
      add("header", name, values ? values.join("\n") : null, found ? found.join("\n") : null);
    } else if (!rewritten.has(name)) alike.add(name);
  }
  const names = namesIn(direct, alike);
  const foundNames = namesIn(there, alike);
  const lower = (all: readonly string[]): string[] => all.map((name) => name.toLowerCase());
  const spelled = (all: readonly string[]): string[] => [...new Set(all)].sort();
  if (!sameList(spelled(names), spelled(foundNames))) {
    add("header-names", "", names.join(" "), foundNames.join(" "));
  }
  const ordered = (all: readonly string[]): string[] => [...new Set(lower(all))];
  if (!sameList(ordered(names), ordered(foundNames))) {
    add("header-order", "", names.join(" "), foundNames.join(" "));
  }
}

function namesIn(fields: Fields, wanted: ReadonlySet<string>): readonly string[] {
  return fields.map(([name]) => name).filter((name) => wanted.has(name.toLowerCase()));
}

function grouped(fields: Fields): ReadonlyMap<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const [name, value] of fields) {
    const key = name.toLowerCase();
    const values = groups.get(key);
    if (values) values.push(value);
    else groups.set(key, [value]);
  }
  return groups;
}

function compareLists(
  part: Part,
  direct: readonly string[],
  there: readonly string[],
  add: Add,
): void {
  if (!sameList(direct, there)) add(part, "", direct.join("\n"), there.join("\n"));
}

function linesOf(fields: Fields): readonly string[] {
  return fields.map(([name, value]) => `${name.toLowerCase()}: ${value}`);
}

function sameList(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((value, at) => value === other[at]);
}

/** Whether two bodies are the same, byte for byte. */
export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

/** The length of a body and where it begins, for people. */
function bodyText({ body }: Answered): string {
  const start = String.fromCharCode(...body.subarray(0, 60)).replace(/[^\x20-\x7e]/g, ".");
  return `${body.length} bytes: ${start}`;
}

/** One difference as a line. */
export function diffText({ tier, side, part, name, direct, there }: Diff): string {
  const what = name === "" ? part : `${part} ${name}`;
  const text = (value: string | null): string => (value === null ? "none" : JSON.stringify(value));
  return `${side} on ${tier}: ${what}: directly ${text(direct)}, there ${text(there)}`;
}
