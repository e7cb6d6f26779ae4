/** Rules for services in Go. */
import type { CodeTable, NamedPlace, StatePatterns } from "./code-table.ts";
import type { Hit } from "./finding.ts";
import {
  type CodeContext,
  callsOf,
  firstArgument,
  hitsWhere,
  isLoopback,
  isWritable,
  lambdaBodyBytesMax,
  numberOf,
  shown,
  soundsLikeState,
} from "./patterns.ts";
import { anyOf, inOrder, insideBrackets, lineAt, type SourceText } from "./source-text.ts";
import { pathIn, textIn } from "./values.ts";

const websocket =
  /\bwebsocket\.(?:Upgrader\s*\{|Accept\(|Handler\(|Server\s*\{|New\()|\bmelody\.New\(/g;
const http2 = /\bgrpc\.NewServer\(|\bh2c\.NewHandler\(/g;

const addresses = anyOf(
  "g",
  /\bhttp\.ListenAndServe(?:TLS)?\(|\bnet\.Listen\(\s*"tcp[46]?"\s*,/,
  /\bAddr\s*:|\.(?:Run|Start|Listen)\(/,
);

function listenHits(source: SourceText, { port: wanted }: CodeContext): readonly Hit[] {
  const { code, bare } = source;
  return [...code.matchAll(addresses)].flatMap((match) => {
    if (bare[match.index] !== code[match.index]) return [];
    const line = lineAt(code, match.index);
    const given = /^\s*("[^"\n]*"|\w+)\s*(?=[,)}\n])/.exec(
      code.slice(match.index + match[0].length),
    );
    const address = given ? textIn(source, given[1] ?? "") : beginningOf(code, match);
    const [, host = "", port = ""] = /^(.*):(\d*)$/.exec(address ?? "") ?? [];
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

/** The literal that an address begins with, as in `"127.0.0.1:" + port`. */
function beginningOf(code: string, { index, 0: { length } }: RegExpExecArray): string | null {
  return /^\s*"([^"\n]*)"/.exec(code.slice(index + length))?.[1] ?? null;
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
    const path = pathIn(source, first);
    if (path === null || isWritable(path)) return [];
    if (call.head.endsWith("OpenFile") && !/O_(?:WRONLY|RDWR|CREATE|APPEND)/.test(call.args))
      return [];
    const message = `${call.head.trim()} writes ${shown(first)}`;
    return [{ rule: "write-outside-tmp" as const, line: call.line, message }];
  });
  const uploads = callsOf(source, /\.SaveUploadedFile\s*\(/g).flatMap(({ args, line }) => {
    const target = args.split(",").at(-1)?.trim() ?? "";
    const path = pathIn(source, target);
    if (path === null || isWritable(path)) return [];
    const message = `an upload is written to ${shown(target)}`;
    return [{ rule: "write-outside-tmp" as const, line, message }];
  });
  const databases = callsOf(source, /\bsql\.Open\s*\(/g).flatMap(({ args, line }) => {
    const path = /^\s*"sqlite3?"\s*,\s*"(?:file:)?([^"?]*)/.exec(args)?.[1];
    if (path === undefined || isWritable(path)) return [];
    return [{ rule: "write-outside-tmp" as const, line, message: `a SQLite database in ${path}` }];
  });
  return [...files, ...uploads, ...databases];
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

/** Of the file itself, alone or in a `var ( … )`, which gofmt indents by one tab. */
const declared = /^(?:var\s+|\t)/;
const state: StatePatterns = {
  collections: inOrder(
    "gm",
    declared,
    /(\w+)\s*(?:=\s*(?:make\(\s*)?(?:map\[|\[\])|(?:map\[|\[\])\S*\s*(?:=|$))/,
  ),
  numbers: inOrder(
    "gm",
    declared,
    /(\w+)\s*(?:=\s*\d+$|u?int(?:32|64)?\s*(?:=\s*\d+)?$|atomic\.U?[iI]nt(?:32|64)$)/,
  ),
  changed: /\[[^\]\n]+\]\s*(?:[-+]?=(?!=)|\+\+|--)|\s*=\s*append\(/,
  fields: sharedFields,
};

/** Maps and slices beside a mutex: whoever locks them shares them between requests. */
function sharedFields({ bare }: SourceText): readonly NamedPlace[] {
  return [...bare.matchAll(/\btype\s+(\w+)\s+struct\s*\{/g)].flatMap((match) => {
    const open = match.index + match[0].length;
    const body = insideBrackets(bare, open - 1);
    if (!/\bsync\.(?:RW)?Mutex\b/.test(body) || !soundsLikeState(match[1] ?? "")) return [];
    return [...body.matchAll(/^\s*(\w+)\s+(?:map\[|\[\])/gm)].map((field) => {
      const name = field[1] ?? "";
      return { name, index: open + field.index + field[0].indexOf(name) };
    });
  });
}

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
  state,
  others: [listenHits, keepAliveHits, fileHits, laterHits, payloadHits],
};

/** Servers that are started in a file. */
export function goServers({ code, bare }: SourceText): readonly number[] {
  const framework = /"github\.com\/(?:gin-gonic\/gin|labstack\/echo|gofiber\/fiber)/.test(code);
  const starts = framework
    ? /\bListenAndServe(?:TLS)?\(|\bhttp\.Serve\(|\.(?:Run|Start|Listen)\(/g
    : /\bListenAndServe(?:TLS)?\(|\bhttp\.Serve\(/g;
  return [...bare.matchAll(starts)].map(({ index }) => lineAt(bare, index));
}
