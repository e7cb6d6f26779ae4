/**
 * What cannot be the same on both tiers. The table in docs/parity.md is checked against this one,
 * and the differential test takes from it what it lets pass: nothing else may differ.
 */
import type { Diff } from "./compare.ts";
import type { Refusable } from "./refusal.ts";

/** A difference that the tiers make by themselves. */
export interface Difference {
  readonly id: string;
  readonly tier: "lambda" | "fargate" | "both";
  /** Whether strict mode makes Fargate alike. */
  readonly strict?: true;
  /** What differs, for the table. */
  readonly what: string;
  readonly onLambda: string;
  readonly onFargate: string;
  /** Whether this is why two outcomes differ. */
  readonly explains: (diff: Diff, all: readonly Diff[], refusable: Refusable) => boolean;
}

const hop = new Set(["connection", "keep-alive", "proxy-connection", "te", "upgrade", "trailer"]);
const forwarding = /^(?:x-forwarded-.*|forwarded|x-real-ip|x-amzn-trace-id)$/;
const asSent = "as sent";

/** Headers that a message itself declares to be of its connection. */
function namedByConnection(all: readonly Diff[]): ReadonlySet<string> {
  const declared = all.filter(({ part, name }) => part === "header" && name === "connection");
  const tokens = declared.flatMap(({ direct }) => (direct ?? "").toLowerCase().split(","));
  return new Set(tokens.map((token) => token.trim()).filter((token) => token !== ""));
}

const inHeader = ({ part, name }: Diff, names: ReadonlySet<string> | RegExp): boolean =>
  part === "header" && (names instanceof RegExp ? names.test(name) : names.has(name));

/** Set-like comparison of a header that one side sends in several lines. */
function joinsAlike({ direct, there, name }: Diff): boolean {
  if (direct === null || there === null || !direct.includes("\n")) return false;
  if (name === "set-cookie") return false;
  const parts = (text: string): string => text.split(/\n|,\s*/).join(",");
  return parts(direct) === parts(there);
}

/** Whether `there` is what becomes of a path that is decoded and encoded again where it must be. */
function decodesTo(direct: string, there: string): boolean {
  const [path = "", query = ""] = direct.split(/\?(.*)/s);
  const [found = "", foundQuery = ""] = there.split(/\?(.*)/s);
  try {
    const [decoded] = decodeURIComponent(path).split("?");
    return decoded === decodeURIComponent(found) && query === foundQuery;
  } catch {
    return false;
  }
}

const statusOf = ({ part, there }: Diff, ...statuses: readonly string[]): boolean =>
  part === "status" && statuses.includes(there ?? "");

/** The differences, in the order of the table. */
export const differences: readonly Difference[] = [
  {
    id: "connection-headers",
    tier: "both",
    what: "headers of one connection: Connection and what it names, Keep-Alive, TE, Trailer",
    onLambda: "end at the front door",
    onFargate: "end at the balancer",
    explains: (diff, all) => inHeader(diff, hop) || namedByConnection(all).has(diff.name),
  },
  {
    id: "empty-body",
    tier: "lambda",
    what: "POST, PUT or PATCH without a body",
    onLambda: "arrives with Content-Length: 0, as RFC 9110 asks of a sender",
    onFargate: asSent,
    explains: (diff) =>
      diff.side === "request" && inHeader(diff, /^content-length$/) && diff.there === "0",
  },
  {
    id: "body-framing",
    tier: "lambda",
    strict: true,
    what: "how a body's end is told: Content-Length or chunks",
    onLambda: "always Content-Length, unless the answer is streamed",
    onFargate: "as sent; requests with Content-Length in strict mode",
    explains: (diff) =>
      inHeader(diff, new Set(["content-length", "transfer-encoding"])) &&
      (diff.direct === null || diff.there === null),
  },
  {
    id: "client-headers",
    tier: "both",
    what: "X-Forwarded-*, Forwarded, X-Real-IP, X-Amzn-Trace-Id that a client sends",
    onLambda: "replaced by what the front door saw; see the client's address above",
    onFargate: "replaced by what the balancer saw; see the client's address above",
    explains: (diff) => diff.side === "request" && inHeader(diff, forwarding),
  },
  {
    id: "lambda-context",
    tier: "both",
    what: "headers that only Lambda has: X-Amzn-Request-Context, X-Amzn-Lambda-Context",
    onLambda: "added by the bridge, as the adapter does; a client's own are dropped",
    onFargate: "absent; a client's own are dropped",
    explains: (diff) =>
      diff.side === "request" && inHeader(diff, /^x-amzn-(?:request|lambda)-context$/),
  },
  {
    id: "invalid-header-names",
    tier: "both",
    what: "header names with other characters than letters, digits and hyphens",
    onLambda: "dropped by the bridge",
    onFargate: "dropped by the balancer",
    explains: (diff) =>
      diff.side === "request" && inHeader(diff, /[^-a-z0-9]/) && diff.there === null,
  },
  {
    id: "header-spelling",
    tier: "lambda",
    what: "upper and lower case of header names",
    onLambda: "lower case",
    onFargate: asSent,
    explains: ({ part }) => part === "header-names",
  },
  {
    id: "header-order",
    tier: "lambda",
    what: "order of headers with different names",
    onLambda: "not kept",
    onFargate: asSent,
    explains: ({ part }) => part === "header-order",
  },
  {
    id: "repeated-headers",
    tier: "lambda",
    what: "a header that is repeated (Set-Cookie apart)",
    onLambda: "one line, joined by commas",
    onFargate: asSent,
    explains: (diff) => diff.part === "header" && joinsAlike(diff),
  },
  {
    id: "cookie-spacing",
    tier: "lambda",
    what: "blanks between cookies, and several Cookie lines",
    onLambda: 'one line, joined by "; "',
    onFargate: asSent,
    explains: ({ side, part, name, direct, there }) => {
      const parts = (text: string | null): string =>
        (text ?? "")
          .split(/[;\n]/)
          .map((cookie) => cookie.trim())
          .filter(Boolean)
          .join(";");
      return (
        side === "request" &&
        part === "header" &&
        name === "cookie" &&
        parts(direct) === parts(there)
      );
    },
  },
  {
    id: "path-decoded",
    tier: "lambda",
    what: "percent-encoding in the path",
    onLambda:
      "decoded by the HTTP API: `/a%2Fb` arrives as `/a/b`, `/a%3Fb` as `/a`; the REST front " +
      "door keeps it",
    onFargate: asSent,
    explains: ({ side, part, direct, there }) =>
      side === "request" && part === "target" && decodesTo(direct ?? "", there ?? ""),
  },
  {
    id: "absolute-target",
    tier: "both",
    what: "a target in absolute form, `GET http://host/path`",
    onLambda: "arrives in origin form, `/path`",
    onFargate: "arrives in origin form, `/path`",
    explains: ({ side, part, direct, there }) =>
      side === "request" &&
      part === "target" &&
      (direct ?? "").replace(/^https?:\/\/[^/?]+/, "") === there,
  },
  {
    id: "asterisk-target",
    tier: "lambda",
    what: "`OPTIONS *`",
    onLambda: "400",
    onFargate: asSent,
    explains: (diff, _, { asterisk }) => asterisk && statusOf(diff, "400"),
  },
  {
    id: "expect",
    tier: "lambda",
    strict: true,
    what: "Expect: 100-continue",
    onLambda: "the front door says Continue and drops it",
    onFargate: "the service decides; as on Lambda in strict mode",
    explains: (diff) => diff.side === "request" && inHeader(diff, /^expect$/),
  },
  {
    id: "trailers",
    tier: "lambda",
    strict: true,
    what: "trailers, of requests and answers",
    onLambda: "dropped",
    onFargate: "as sent; dropped in strict mode",
    explains: ({ part, there }) => part === "trailers" && there === "",
  },
  {
    id: "interim-answers",
    tier: "both",
    what: "interim answers such as 103 Early Hints",
    onLambda: "dropped",
    onFargate: "dropped",
    explains: ({ part, there }) => part === "interim" && there === "",
  },
  {
    id: "reason-phrase",
    tier: "lambda",
    what: "a reason phrase of the service's own",
    onLambda: "the usual phrase of the status",
    onFargate: asSent,
    explains: ({ part }) => part === "reason",
  },
  {
    id: "missing-type",
    tier: "lambda",
    what: "an answer with a body and without a Content-Type",
    onLambda: "text/plain;charset=utf-8",
    onFargate: asSent,
    explains: (diff) =>
      diff.side === "answer" && inHeader(diff, /^content-type$/) && diff.direct === null,
  },
  {
    id: "missing-date",
    tier: "both",
    what: "an answer without a Date",
    onLambda: "the front door adds one",
    onFargate: "the balancer adds one",
    explains: (diff) => diff.side === "answer" && inHeader(diff, /^date$/) && diff.direct === null,
  },
  {
    id: "request-too-large",
    tier: "lambda",
    what: "a request above 6 MB as an event (4.5 MB of binary data)",
    onLambda: "413",
    onFargate: "accepted; 413 in strict mode",
    explains: (diff, _, { request }) => request && statusOf(diff, "413"),
  },
  {
    id: "answer-too-large",
    tier: "lambda",
    what: "an answer above 6 MB as an event",
    onLambda: "500",
    onFargate: "passed on; 500 in strict mode",
    explains: (diff, _, { answer }) => answer && statusOf(diff, "500"),
  },
  {
    id: "head-too-large",
    tier: "lambda",
    what: "request line and header values above 10,240 bytes",
    onLambda: "431",
    onFargate: "accepted up to 64 KB; 431 in strict mode",
    explains: (diff, _, { head }) => head && statusOf(diff, "431"),
  },
  {
    id: "upgrade",
    tier: "lambda",
    what: "WebSocket and other upgrades",
    onLambda: "the request arrives as a plain one",
    onFargate: "passed on",
    explains: ({ part, direct }) => part === "outcome" && direct === "an upgrade",
  },
];

/** Statuses by which a tier refuses; the rest of the answer is then its own. */
const refusals = new Set([
  "request-too-large",
  "answer-too-large",
  "head-too-large",
  "asterisk-target",
]);

/** The entries that explain `diffs`, and the differences that none explains. */
export function explain(
  diffs: readonly Diff[],
  refusable: Refusable,
  mode: "native" | "strict" = "native",
): {
  readonly explained: readonly string[];
  readonly unexplained: readonly Diff[];
} {
  const explained = new Set<string>();
  const unexplained: Diff[] = [];
  const refused = (diff: Diff): boolean =>
    diff.side === "answer" &&
    diff.part !== "status" &&
    [...refusals].some((id) => explained.has(id));
  const statuses = diffs.filter(({ part }) => part === "status");
  for (const diff of [...statuses, ...diffs.filter(({ part }) => part !== "status")]) {
    const entry = differences.find(
      ({ tier, strict, explains }) =>
        (tier === "both" || tier === diff.tier || (strict && mode === "strict")) &&
        explains(diff, diffs, refusable),
    );
    if (entry) explained.add(entry.id);
    else if (!refused(diff)) unexplained.push(diff);
  }
  return { explained: [...explained], unexplained };
}
