/** Rules for services in JavaScript and TypeScript. */
import type { CodeTable, NamedPlace, StatePatterns } from "./code-table.ts";
import type { Hit } from "./finding.ts";
import {
  bytesOf,
  type CodeContext,
  callsOf,
  firstArgument,
  isLoopback,
  isWritable,
  lambdaBodyBytesMax,
  literalOf,
  matches,
  numberOf,
  shown,
  soundsLikeState,
} from "./patterns.ts";
import { anyOf, inOrder, insideBrackets, lineAt, type SourceText } from "./source-text.ts";
import { numberIn, pathIn } from "./values.ts";

const websocket = anyOf(
  "g",
  /\bnew\s+(?:WebSocketServer|WebSocket\.Server|ws\.Server)\b/,
  inOrder(
    "",
    /(?:\bfrom|\brequire\()\s*/,
    /["'](?:socket\.io|@fastify\/websocket|express-ws|@nestjs\/websockets|@hono\/node-ws)["']/,
  ),
  /\.on\(\s*["']upgrade["']/,
);
const http2 = /\bhttp2\s*\.\s*create(?:Secure)?Server\(|\bnew\s+grpc\.Server\b/g;

function listenHits(source: SourceText, { port }: CodeContext): readonly Hit[] {
  return callsOf(source, listens).flatMap((call) => {
    const { args, line } = call;
    const hits: Hit[] = [];
    if (isFastifyAlone(source, args)) {
      const message = "Fastify listens on localhost unless told otherwise";
      hits.push({ rule: "listen-loopback", line, message });
    }
    if (/\benv\b|argv|config|options/i.test(args)) return hits;
    const quoted = [...args.matchAll(/["'`]([^"'`\n]*)["'`]/g)].map((match) => match[1] ?? "");
    const address = quoted.find(isLoopback);
    if (address !== undefined) {
      hits.push({ rule: "listen-loopback", line, message: `listens on ${address}` });
    }
    const option = /\bport\s*:\s*([\w$]+)/.exec(args)?.[1] ?? /\bport\b/.exec(args)?.[0];
    const fixed = numberIn(source, args.startsWith("{") ? (option ?? "") : firstArgument(call));
    if (fixed !== null && fixed > 0) {
      const message = `listens on port ${fixed}, whatever PORT says`;
      const level = fixed === port ? "warning" : "error";
      hits.push({ rule: "port-hard-coded", line, message, level });
    }
    return hits;
  });
}

const listens = /(?:\.listen|(?<![\w$.])serve|\bBun\.serve)\s*\(/g;

/** Fastify, of all servers, takes the loopback address where none is given. */
function isFastifyAlone({ code }: SourceText, args: string): boolean {
  if (!/["'](?:fastify|@nestjs\/platform-fastify)["']/.test(code)) return false;
  if (args.startsWith("{")) return !/\bhost\b|\.\.\./.test(args);
  return /\bFastifyAdapter\b/.test(code) && /^[^,]+$/.test(args);
}

const writers = inOrder(
  "g",
  /(?<![\w$])(?:(?:fs|fsp|fsPromises|promises)\s*\.\s*(?:promises\s*\.\s*)?)?/,
  /(?:(?:writeFile|appendFile|mkdir|copyFile)(?:Sync)?|createWriteStream)\s*\(/,
);
/** Calls that keep files where an option or the first argument says. */
const keepers: readonly (readonly [call: RegExp, option: RegExp, what: string])[] = [
  [/\bmulter\s*\(/g, /\bdest\s*:\s*([^,}\n]+)/, "uploads are written to"],
  [/\bdiskStorage\s*\(/g, /\bdestination\s*:\s*(["'`][^,}\n]+)/, "uploads are written to"],
  [/\btransports\.File\s*\(/g, /\bfilename\s*:\s*([^,}\n]+)/, "a log is written to"],
  [/\bnew\s+(?:sqlite3\.)?Database(?:Sync)?\s*\(/g, /^([^,\n]+)/, "a SQLite database in"],
];

function fileHits(source: SourceText): readonly Hit[] {
  const written = callsOf(source, writers).flatMap((call) => {
    const copies = call.head.includes("copyFile");
    const first = firstArgument(call);
    const target = copies ? firstArgument(rest(call, first)) : first;
    const path = pathIn(source, target);
    if (path === null || isWritable(path)) return [];
    const message = `${call.head.trim()} writes ${shown(target)}`;
    return [{ rule: "write-outside-tmp" as const, line: call.line, message }];
  });
  const kept = keepers.flatMap(([pattern, option, what]) =>
    callsOf(source, pattern).flatMap(({ args, line }) => {
      const target = option.exec(args.trim())?.[1] ?? "";
      const path = pathIn(source, target);
      if (path === null || isWritable(path)) return [];
      return [{ rule: "write-outside-tmp" as const, line, message: `${what} ${shown(target)}` }];
    }),
  );
  return [...written, ...kept];
}

/** The call without its first argument. */
function rest<T extends { args: string; argsBare: string }>(call: T, first: string): T {
  const from = call.args.indexOf(first) + first.length + 1;
  return { ...call, args: call.args.slice(from), argsBare: call.argsBare.slice(from) };
}

const schedulers =
  /(?<![\w$.])setInterval\s*\(|\bcron\.schedule\(|\bnew\s+CronJob\(|\bscheduleJob\(|@Cron\(/g;
const answers =
  /(?<![\w$])(?:res|response|reply)\s*\.\s*(?:status\([^)]*\)\s*\.\s*)?(?:send|json|end)\s*\(/g;

/** Work that the code waits for, puts off, or starts without waiting. */
const afterwork = anyOf(
  "m",
  /(?:^|[\s;])(?:await\s+[\w.$]+|void\s+[\w.$]+\()/,
  /(?:^|[\s;])(?:setImmediate|queueMicrotask|setTimeout)\(/,
  /^\s*[\w.$]+\([^;]*?\)\s*\.(?:catch|then)\(/,
);

function laterHits(source: SourceText): readonly Hit[] {
  const scheduled = matches(source, schedulers, "bare").map(({ line, text }) => {
    const message = `${text.replace(/\($/, "").trim()} works between requests`;
    return { rule: "work-after-response" as const, line, message };
  });
  const afterwards = callsOf(source, answers).flatMap(({ line, index, end }) => {
    const statement = source.bare.slice(source.bare.lastIndexOf("\n", index) + 1, index);
    // `return res.json()` ends the function, and `await` waits for what follows anyway.
    if (/\breturn\b|=>\s*$|\?|:/.test(statement)) return [];
    const follows = restOfBlock(source.bare, end + 1);
    if (/^\s*;?\s*return\b/.test(follows)) return [];
    const work = afterwork.exec(follows);
    if (!work) return [];
    const message = `the answer is sent, then: ${shown(work[0])}`;
    return [{ rule: "work-after-response" as const, line, message }];
  });
  return [...scheduled, ...afterwards];
}

/** What follows in the same block, without the functions and blocks inside it that return. */
function restOfBlock(bare: string, from: number): string {
  let depth = 0;
  for (let at = from; at < bare.length; at += 1) {
    if (bare[at] === "{") depth += 1;
    if (bare[at] !== "}") continue;
    depth -= 1;
    if (depth < 0) return bare.slice(from, at);
  }
  return bare.slice(from);
}

const declared = /^(?:export\s+)?(?:const|let|var)\s+([A-Za-z_$][\w$]*)(?:\s*:[^=\n]+)?\s*=\s*/;
const state: StatePatterns = {
  collections: inOrder("gm", declared, /(?:new\s+(?:Map|Set)\b|[{[])/),
  numbers: inOrder("gm", declared, /\d+\s*;?$/),
  changed: anyOf(
    "",
    /\.(?:set|add|push|unshift|splice|pop|shift|delete)\(/,
    /\[[^\]\n]+\]\s*(?:[-+]?=(?![=>])|\+\+|--)/,
    /\.\w+\s*(?:\+\+|--|[-+]=)|\s*=\s*(?:\[\s*\.\.\.|\w+\.(?:filter|map|concat)\()/,
  ),
  fields: injectedFields,
};

/** Nest makes one object of an injectable class, for all requests. */
function injectedFields({ bare }: SourceText): readonly NamedPlace[] {
  const classes = /@Injectable\(\s*\)[^{]*?\bclass\s+(\w+)[^{]*\{/g;
  return [...bare.matchAll(classes)].flatMap((match) => {
    const open = match.index + match[0].length;
    if (!soundsLikeState(match[1] ?? "")) return [];
    const body = insideBrackets(bare, open - 1);
    const fields = inOrder(
      "gm",
      /^\s*(?:(?:private|public|protected|readonly)\s+)*#?(\w+)(?:\s*:[^=\n]+)?/,
      /\s*=\s*(?:new\s+(?:Map|Set)\b|[{[])/,
    );
    return [...body.matchAll(fields)].map((field) => {
      const name = field[1] ?? "";
      return { name, index: open + field.index + field[0].indexOf(name) };
    });
  });
}

function sessionHits(source: SourceText): readonly Hit[] {
  return callsOf(source, /(?<![\w$.])(?:session|expressSession)\s*\(\s*(?=\{)/g)
    .filter(({ args }) => /\bsecret\b/.test(args) && !/\bstore\b/.test(args))
    .map(({ line }) => {
      const message = "sessions without a store are kept in the memory of one process";
      return { rule: "state-in-memory" as const, line, message };
    });
}

const decoding = anyOf(
  "gi",
  /\bdecodeURIComponent\(\s*(?:req|request|ctx|c|url)\b[\w.$]*\.(?:params|pathname|path|url)\b/,
  /\b(?:get|post|put|patch|delete|all|use|route)\(\s*["'`]\/[^"'`\n]*%2f/,
);

function payloadHits(source: SourceText): readonly Hit[] {
  const { code } = source;
  const sizes = inOrder(
    "g",
    /\b(limit|fileSize|bodyLimit|maxFileSize|maxBodySize)/,
    /\s*:\s*(["'`][^"'`\n]+["'`]|[\d_.e]+(?:\s*\*\s*[\d_.]+)*)/,
  );
  return [...code.matchAll(sizes)].flatMap((match) => {
    const [, name = "", value = ""] = match;
    const literal = literalOf(value);
    const bytes = literal === null ? numberOf(value) : bytesOf(literal);
    // A plain number called `limit` limits many things, a size is written like one.
    const isSize = name !== "limit" || literal !== null;
    if (!isSize || bytes === null || bytes <= lambdaBodyBytesMax) return [];
    const message = `${name} allows bodies of ${value}`;
    return [{ rule: "payload-over-limit" as const, line: lineAt(code, match.index), message }];
  });
}

const events = anyOf(
  "gi",
  /(?:writeHead|setHeader|set|header|type|append)\([^;]{0,80}?["'`]text\/event-stream/,
  /["']?content-type["']?\s*:\s*["'`]text\/event-stream|\bstreamSSE\(/,
);

const leftmost = anyOf(
  "gi",
  /["'`]x-forwarded-for["'`][^;\n]*?\.split\([^)\n]*\)\s*(?:\?\.)?\[\s*0\s*\]/,
  /\.set\(\s*["']trust proxy["']\s*,\s*true\s*\)|\btrustProxy\s*:\s*true\b/,
);

/** What to look for in JavaScript. */
export const javascriptTable: CodeTable = {
  websocket,
  http2,
  encodedPath: decoding,
  events,
  firstAddress: leftmost,
  state,
  others: [listenHits, fileHits, laterHits, sessionHits, payloadHits],
};

/** Servers that are created in a file, for rules about the whole service. */
export function javascriptServers(source: SourceText): readonly number[] {
  const { bare, code } = source;
  const served = /["']@hono\/node-server["']/.test(code)
    ? callsOf(source, /(?<![\w$.])serve\s*\(/g).map(({ line }) => line)
    : [];
  const creates = anyOf(
    "i",
    /\bcreateServer\s*\(|\bexpress\s*\(\s*\)|\bfastify\s*\(|\bnew\s+Koa\b|\bserve\s*\(/,
    /\bNestFactory\.create\b|(?<![\w$.])(?:app|server|httpServer)\.listen\(/,
  );
  if (!creates.test(bare)) return served;
  return [...served, ...callsOf(source, /\.listen\s*\(/g).map(({ line }) => line)];
}

/** Fastify keeps idle connections for 72 s by itself. */
export function keepsAlive({ code }: SourceText): boolean {
  return /["'](?:fastify|@nestjs\/platform-fastify)["']/.test(code);
}

/** What the files of a service must say somewhere; each is looked for in all of them. */
export const javascriptPromises: {
  readonly sigterm: RegExp;
  readonly keepAlive: RegExp;
} = {
  sigterm: anyOf(
    "",
    /["'`]SIGTERM["'`]|\benableShutdownHooks\(|\bfastify-graceful-shutdown\b/,
    /["'](?:close-with-grace|@godaddy\/terminus|lightship|http-graceful-shutdown)["']/,
    /["'](?:@gquittet\/graceful-server|exit-hook|async-exit-hook|death|signal-exit)["']/,
  ),
  keepAlive: /\bkeepAliveTimeout\s*[=:]\s*([\d_.e]+(?:\s*\*\s*[\d_.]+)*|[\w$.]+)/g,
};
