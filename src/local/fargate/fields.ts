/**
 * What the balancer does with header fields: hop-by-hop ones end here, forwarding ones are its own.
 *
 * Fields that pass keep their spelling, their order and their duplicates. Names are classified once
 * and remembered, because the same few arrive with every request.
 */

/** What becomes of a field. `count` fields pass, but their number and value decide something. */
export type FieldKind =
  | "pass"
  | "hop"
  | "spoof"
  | "invalid"
  | "connection"
  | "keep-alive"
  | "transfer-encoding"
  | "content-length"
  | "trailer"
  | "upgrade"
  | "host"
  | "trace";

const special: Readonly<Record<string, FieldKind>> = {
  connection: "connection",
  "keep-alive": "keep-alive",
  "proxy-connection": "hop",
  "proxy-authenticate": "hop",
  "proxy-authorization": "hop",
  te: "hop",
  "transfer-encoding": "transfer-encoding",
  "content-length": "content-length",
  trailer: "trailer",
  upgrade: "upgrade",
  host: "host",
  "x-amzn-trace-id": "trace",
  forwarded: "spoof",
  "x-real-ip": "spoof",
  "x-amzn-request-context": "spoof",
  "x-amzn-lambda-context": "spoof",
  "x-amz-tenant-id": "spoof",
};

/** Names that are remembered; beyond it every new name is classified anew. */
const namesKept = 1024;
const known = new Map<string, FieldKind>();

/** The kind of a field, by its name in any spelling. */
export function fieldKind(name: string): FieldKind {
  const found = known.get(name);
  if (found !== undefined) return found;
  const kind = classify(name.toLowerCase());
  if (known.size < namesKept) known.set(name, kind);
  return kind;
}

/**
 * A load balancer that drops invalid header fields knows letters, digits and hyphens only. A name
 * with an underscore would reach many frameworks as if it were spelled with a hyphen.
 */
const validName = /^[-a-z0-9]+$/;

function classify(name: string): FieldKind {
  if (!validName.test(name)) return "invalid";
  if (name.startsWith("x-forwarded-")) return "spoof";
  // Every object has a "constructor": a header of that name must not find it.
  return Object.hasOwn(special, name) ? (special[name] ?? "pass") : "pass";
}

/** Root of a trace that another part of AWS began, with what may follow it. */
const trace = /^(?:Self=[^;\s]+;)?Root=1-[0-9a-f]{8}-[0-9a-f]{24}(?:;[A-Za-z]+=[\w:-]+)*$/;

/** Whether a client's trace id is one: only then it goes on. */
export function isTraceId(value: string): boolean {
  return value.length <= 200 && trace.test(value);
}

const connectionOptions = new Set(["", "close", "keep-alive", "upgrade"]);
const none: readonly string[] = [];

/** The fields that a `Connection` value names besides its options; they end at this hop too. */
export function namedByConnection(value: string): readonly string[] {
  if (connectionOptions.has(value)) return none;
  const tokens = value.split(",").map((token) => token.trim().toLowerCase());
  return tokens.filter((token) => !connectionOptions.has(token));
}

/** Whether a comma-separated field value contains `token`, in any case. */
export function hasToken(value: string, token: string): boolean {
  return value === token || value.split(",").some((part) => part.trim().toLowerCase() === token);
}

/** `fields` (names and values in turn) without those whose lower-case name is in `names`. */
export function withoutFields(fields: readonly string[], names: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? "";
    if (!names.includes(name.toLowerCase())) kept.push(name, fields[i + 1] ?? "");
  }
  return kept;
}
