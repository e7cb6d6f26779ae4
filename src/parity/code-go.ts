/** Rules for services in Go. */
import type { CodeTable } from "./code-table.ts";
import type { Hit } from "./finding.ts";
import {
  type CodeContext,
  callsOf,
  firstArgument,
  hitsWhere,
  isLoopback,
  isWritable,
  lambdaBodyBytesMax,
  literalOf,
  numberOf,
  shown,
} from "./patterns.ts";
import { anyOf, inOrder, insideBrackets, lineAt, type SourceText } from "./source-text.ts";

const websocket = /\bwebsocket\.(?:Upgrader\s*\{|Accept\(|Handler\(|Server\s*\{)/g;
const http2 = /\bgrpc\.NewServer\(|\bh2c\.NewHandler\(/g;

const addresses = inOrder(
  "g",
  anyOf(
    "",
    /\bhttp\.ListenAndServe(?:TLS)?\(|\bnet\.Listen\(\s*"tcp[46]?"\s*,/,
    /\bAddr\s*:|\.(?:Run|Start|Listen)\(/,
  ),
  /\s*"([^"\n]*)"/,
);

function listenHits({ code, bare }: SourceText, { port: wanted }: CodeContext): readonly Hit[] {
  return [...code.matchAll(addresses)].flatMap((match) => {
    if (bare[match.index] !== code[match.index]) return [];
    const line = lineAt(code, match.index);
    const [, host = "", port = ""] = /^(.*):(\d*)$/.exec(match[1] ?? "") ?? [];
    const hits: Hit[] = [];
    if (isLoopback(host)) {
      hits.push({ rule: "listen-loopback", line, message: `listens on ${host}` });
    }
    if (port !== "" && port !== "0") {
      const message = `listens on port ${port}, whatever PORT says`;
      const level = Number(port) === wanted ? "warning" : "error";
      hits.push({ rule: "port-hard-coded", line, message, level });
    }
    return hits;
  });
}

const units: Readonly<Record<string, number>> = {
  Millisecond: 0.001,
  Second: 1,
  Minute: 60,
  Hour: 3600,
};

/** Go closes idle connections only if it is told to, by IdleTimeout or else by ReadTimeout. */
function keepAliveHits(source: SourceText): readonly Hit[] {
  const literals = /\bhttp\.Server\s*\{/g;
  return [...source.bare.matchAll(literals)].flatMap((match) => {
    const open = match.index + match[0].length - 1;
    const fields = insideBrackets(source.bare, open);
    const limit = limitOf(fields, "IdleTimeout") ?? limitOf(fields, "ReadTimeout");
    if (limit === null || limit.seconds > 60) return [];
    const line = lineAt(source.bare, open + 1 + limit.index);
    const message = `idle connections are closed after ${limit.text}`;
    return [{ rule: "keep-alive-short" as const, line, message }];
  });
}

function limitOf(
  fields: string,
  name: string,
): { readonly seconds: number; readonly index: number; readonly text: string } | null {
  const pattern = new RegExp(`\\b${name}\\s*:\\s*(?:(\\d+)\\s*\\*\\s*)?time\\.(\\w+)`);
  const match = pattern.exec(fields);
  const unit = units[match?.[2] ?? ""];
  if (!match || unit === undefined) return null;
  const count = Number(match[1] ?? 1);
  return { seconds: count * unit, index: match.index, text: `${count} ${match[2]}` };
}

const writers = /\bos\.(?:Create|WriteFile|MkdirAll|Mkdir|OpenFile)\s*\(|\bioutil\.WriteFile\s*\(/g;

function fileHits(source: SourceText): readonly Hit[] {
  const files = callsOf(source, writers).flatMap((call) => {
    const first = firstArgument(call);
    const path = literalOf(first);
    if (path === null || isWritable(path)) return [];
    if (call.head.endsWith("OpenFile") && !/O_(?:WRONLY|RDWR|CREATE|APPEND)/.test(call.args))
      return [];
    const message = `${call.head.trim()} writes ${shown(first)}`;
    return [{ rule: "write-outside-tmp" as const, line: call.line, message }];
  });
  const databases = callsOf(source, /\bsql\.Open\s*\(/g).flatMap(({ args, line }) => {
    const path = /^\s*"sqlite3?"\s*,\s*"(?:file:)?([^"?]*)/.exec(args)?.[1];
    if (path === undefined || isWritable(path)) return [];
    return [{ rule: "write-outside-tmp" as const, line, message: `a SQLite database in ${path}` }];
  });
  return [...files, ...databases];
}

const handler =
  /\bfunc\b[^{\n]*(?:http\.ResponseWriter|\*gin\.Context|echo\.Context|\*fiber\.Ctx)[^{\n]*\{/g;

/** A goroutine that a handler starts and does not wait for. */
function laterHits(source: SourceText): readonly Hit[] {
  const started = [...source.bare.matchAll(handler)].flatMap((match) => {
    const open = match.index + match[0].length - 1;
    const body = insideBrackets(source.bare, open);
    if (/\.Wait\(\)|<-/.test(body)) return [];
    return [...body.matchAll(/(?:^|\n)\s*go\s+[\w.]+/g)].map((found) => {
      const at = open + 1 + found.index + found[0].length;
      const message = `${found[0].trim()} goes on after the answer`;
      return { rule: "work-after-response" as const, line: lineAt(source.bare, at), message };
    });
  });
  const ticking = hitsWhere(
    source,
    "work-after-response",
    /\btime\.(?:NewTicker|Tick)\(|\bcron\.New\(/g,
    (text) => `${text.replace(/\($/, "")} works between requests`,
  );
  return [...started, ...ticking];
}

const maps = /^(?:var\s+(\w+)\s*=\s*(?:make\(\s*)?map\[|var\s+(\w+)\s+map\[)/gm;

function payloadHits(source: SourceText): readonly Hit[] {
  return callsOf(source, /\bhttp\.MaxBytesReader\s*\(/g).flatMap(({ args, line }) => {
    const limit = args.split(",").at(-1)?.trim() ?? "";
    const bytes = numberOf(limit);
    if (bytes === null || bytes <= lambdaBodyBytesMax) return [];
    return [{ rule: "payload-over-limit" as const, line, message: `bodies of ${limit} bytes` }];
  });
}

const leftmost = inOrder(
  "g",
  /strings\.Split\(\s*[\w.]*Header\.Get\(\s*"[Xx]-[Ff]orwarded-[Ff]or"\s*\)\s*,/,
  /\s*"[^"]*"\s*\)\s*\[\s*0\s*\]/,
);

/** What to look for in Go. */
export const goTable: CodeTable = {
  websocket,
  http2,
  encodedPath: /\bURL\.(?:RawPath|EscapedPath\(\))|\bUseEncodedPath\(|\bUseRawPath\s*=\s*true/g,
  events: /\.Set\(\s*"[Cc]ontent-[Tt]ype"\s*,\s*"text\/event-stream/g,
  firstAddress: leftmost,
  collections: maps,
  changed: /\[[^\]\n]+\]\s*[-+]?=(?!=)/,
  others: [listenHits, keepAliveHits, fileHits, laterHits, payloadHits],
};
