/** Rules for services in Python. */
import type { CodeTable, StatePatterns } from "./code-table.ts";
import type { Hit } from "./finding.ts";
import {
  type CodeContext,
  callsOf,
  firstArgument,
  hitsWhere,
  isInsideString,
  isLoopback,
  isWritable,
  lambdaBodyBytesMax,
  matches,
  numberOf,
  shown,
} from "./patterns.ts";
import { functionsOf } from "./scope.ts";
import { anyOf, inOrder, lineAt, type SourceText } from "./source-text.ts";
import { numberIn, pathIn, textIn } from "./values.ts";

const websocket = anyOf(
  "g",
  /@\w+\.websocket\(|\bwebsockets\.(?:asyncio\.server\.)?serve\(|\bSocketIO\(/,
  /\bweb\.WebSocketResponse\(|\bWebSocketHandler\)\s*:|\bfrom\s+flask_sock\b/,
  /\bsocketio\.(?:Async)?Server\(/,
  /\bWebSocketRoute\(|\bfrom\s+channels\b|\badd_api_websocket_route\(/,
);
const keyword = (args: string, name: string): string | null =>
  new RegExp(`(?:^|[,(\\s])${name}\\s*=\\s*([^,\\n]+)`).exec(args)?.[1]?.trim() ?? null;

/** The part under `if __name__ == "__main__"` runs only when a command names the file. */
function runs(
  { code }: SourceText,
  index: number,
  { commands }: CodeContext,
  name: string,
): boolean {
  const main = /^if\s+__name__\s*==\s*["']__main__["']\s*:/m.exec(code);
  if (!main || index < main.index) return true;
  const module = name.replace(/\.py$/, "");
  return new RegExp(
    `python[\\d.]*\\s+(?:-\\S+\\s+)*(?:\\S*/)?(?:${module}\\.py|${module}\\b)`,
  ).test(commands);
}

interface PythonServer {
  readonly call: RegExp;
  readonly what: string;
  /** Where it listens unless told otherwise; `null` is everywhere. */
  readonly host: string | null;
  readonly port: number;
}

const servers: readonly PythonServer[] = [
  { call: /\buvicorn\.(?:run|Config)\s*\(/g, what: "uvicorn", host: "127.0.0.1", port: 8000 },
  {
    call: /(?<![\w.])(?:app|application)\.run\s*\(/g,
    what: "Flask's server",
    host: "127.0.0.1",
    port: 5000,
  },
  { call: /\bweb\.run_app\s*\(/g, what: "aiohttp", host: null, port: 8080 },
];

function listenHits(source: SourceText, context: CodeContext, name: string): readonly Hit[] {
  const called = servers.flatMap(({ call: pattern, what, host: usualHost, port: usual }) =>
    callsOf(source, pattern).flatMap(({ args, line, index }) => {
      if (!runs(source, index, context, name) || /\*\*/.test(args)) return [];
      const hits: Hit[] = [];
      const host = keyword(args, "host");
      const address = host === null ? usualHost : textIn(source, host);
      if (address !== null && isLoopback(address)) {
        const how = host === null ? " unless told otherwise" : "";
        hits.push({
          rule: "listen-loopback",
          line,
          message: `${what} listens on ${address}${how}`,
        });
      }
      const given = keyword(args, "port");
      const port = given === null ? usual : numberIn(source, given);
      if (port !== null) hits.push(fixedPort(what, port, line, context));
      const seconds = keyword(args, "timeout_keep_alive");
      const kept = seconds === null ? 5 : numberIn(source, seconds);
      if (what === "uvicorn" && kept !== null && kept <= 60) {
        const message = `uvicorn keeps idle connections for ${kept} s`;
        hits.push({ rule: "keep-alive-short", line, message });
      }
      return hits;
    }),
  );
  return [...called, ...plainServerHits(source, context)];
}

function fixedPort(what: string, port: number, line: number, { port: wanted }: CodeContext): Hit {
  const message = `${what} listens on port ${port}, whatever PORT says`;
  return {
    rule: "port-hard-coded",
    line,
    message,
    level: port === wanted ? "warning" : "error",
  };
}

/** Servers of the standard library, which take a pair of host and port. */
function plainServerHits(source: SourceText, context: CodeContext): readonly Hit[] {
  const calls = callsOf(source, /(?:HTTP|TCP|WSGI)Server\s*\(\s*(?=\()|\bmake_server\s*\(/g);
  return calls.flatMap(({ args, line }) => {
    const pair = /^\s*\(?\s*([^,()]+),\s*([^,()]+)/.exec(args);
    const host = textIn(source, pair?.[1] ?? "");
    const port = numberIn(source, pair?.[2] ?? "");
    const message = `the server listens on ${host}`;
    return [
      ...(host !== null && isLoopback(host)
        ? [{ rule: "listen-loopback" as const, line, message }]
        : []),
      ...(port !== null && port > 0 ? [fixedPort("the server", port, line, context)] : []),
    ];
  });
}

/** Servers that are started in a file; those that frameworks bring handle SIGTERM themselves. */
export function pythonServers(
  source: SourceText,
  context: CodeContext,
  name: string,
): readonly number[] {
  const { code } = source;
  const flask = /\bfrom\s+flask\b|\bimport\s+flask\b/.test(code) ? "|\\bapp\\.run\\s*\\(" : "";
  return callsOf(source, new RegExp(`\\.serve_forever\\s*\\(${flask}`, "g"))
    .filter(({ index }) => runs(source, index, context, name))
    .map(({ line }) => line);
}

const opens = /(?<![\w.])(?:io\.)?open\s*\(/g;
const makes = anyOf(
  "g",
  /(?<!\w)(?:sqlite3\.connect|os\.makedirs|os\.mkdir|shelve\.open)\s*\(/,
  /(?<!\w)(?:logging\.)?(?:handlers\.)?(?:Rotating|TimedRotating)?FileHandler\s*\(/,
  /(?<!\w)shutil\.(?:copy|copyfile|copy2|move)\s*\(/,
);
const writesPath = inOrder(
  "g",
  /(\bPath\([^()\n]*\)|(?<![\w.)])[A-Za-z_]\w*|\([^()\n]+\))\s*\.\s*/,
  /(?:write_text|write_bytes|mkdir|touch)\(/,
);
/** Addresses of databases, names of log files, and what comes with a request. */
const keeps = anyOf(
  "g",
  /["']sqlite(?:\+\w+)?:\/\/\/(?<database>[^"'\n]*)/,
  /\bbasicConfig\([^()]*\bfilename\s*=\s*(?<log>[^,)\n]+)/,
  /\.save\(\s*(?<upload>f?["'][^"'\n]*[/.][^"'\n]*["']|os\.path\.join\([^()\n]*\))\s*\)/,
);

function fileHits(source: SourceText): readonly Hit[] {
  const hit = (line: number, what: string): Hit => {
    return { rule: "write-outside-tmp", line, message: `writes ${shown(what)}` };
  };
  const opened = callsOf(source, opens).flatMap((call) => {
    const first = firstArgument(call);
    const behind = call.args.slice(call.args.indexOf(first) + first.length + 1);
    const mode = keyword(call.args, "mode") ?? behind.trim();
    if (!/^["'](?:[rbt]*\+|[bt]*[wax])/.test(mode)) return [];
    const path = pathIn(source, first);
    return path === null || isWritable(path) ? [] : [hit(call.line, first)];
  });
  const made = callsOf(source, makes).flatMap((call) => {
    const first = firstArgument(call);
    const copies = /^shutil/.test(call.head);
    const target = copies
      ? call.args.slice(call.args.indexOf(first) + first.length + 1).trim()
      : first;
    const path = pathIn(source, target);
    return path === null || isWritable(path) ? [] : [hit(call.line, target)];
  });
  const written = [...source.code.matchAll(writesPath)].flatMap((match) => {
    const target = (match[1] ?? "").replace(/^\((.*)\)$/, "$1");
    const path = isInsideString(source, match.index) ? null : pathIn(source, target);
    if (path === null || isWritable(path)) return [];
    return [hit(lineAt(source.code, match.index), target)];
  });
  const kept = [...source.code.matchAll(keeps)].flatMap((match) => {
    const { database, log, upload } = match.groups ?? {};
    const line = lineAt(source.code, match.index);
    if (database !== undefined) {
      // A third slash ends the address, a fourth begins an absolute path.
      if (isWritable(database)) return [];
      const message = `a SQLite database in ${database}`;
      return [{ rule: "write-outside-tmp" as const, line, message }];
    }
    const target = log ?? upload ?? "";
    const path = pathIn(source, target);
    return path === null || isWritable(path) ? [] : [hit(line, target)];
  });
  return [...opened, ...made, ...written, ...kept];
}

const later = anyOf(
  "gm",
  /\b\w*background_?tasks?\.add_task\(|\bBackgroundTask\(/,
  /^[ \t]+(?:asyncio\.(?:create_task|ensure_future)\()/,
  /\bThread\([^)\n]*daemon\s*=\s*True|\b(?:BackgroundScheduler|AsyncIOScheduler)\(/,
  /@repeat_every\(/,
);

function laterHits(source: SourceText): readonly Hit[] {
  const inFunction = functionsOf(source);
  const named = [...source.bare.matchAll(/\b(\w+)\s*:\s*BackgroundTasks\b/g)];
  const tasks = [...new Set(named.map((match) => match[1] ?? ""))].filter(
    (name) => !/background_?tasks?$/.test(name),
  );
  const pattern = tasks.map((name) => `\\b${name}\\.add_task\\(`).join("|");
  const added = pattern === "" ? [] : matches(source, new RegExp(pattern, "g"));
  // One that is started where it is made is never waited for; servers and their end are no work.
  const threads = callsOf(source, /\bThread\s*\(/g).filter(
    ({ args, index, end }) =>
      inFunction(index) &&
      !/daemon\s*=\s*True|shutdown|serve|stop/.test(args) &&
      /^\s*\.start\(/.test(source.bare.slice(end + 1)),
  );
  return [
    ...hitsWhere(source, "work-after-response", later, (text) => `${text} is not awaited`),
    ...[...added, ...threads.map(({ line }) => ({ line, text: "Thread(" }))].map(
      ({ line, text }) => {
        return { rule: "work-after-response" as const, line, message: `${text} is not awaited` };
      },
    ),
  ];
}

const declared = /^([A-Za-z_]\w*)(?:\s*:[^=\n]+)?\s*=\s*/;
const state: StatePatterns = {
  collections: inOrder(
    "gm",
    declared,
    /(?:[{[]|(?:dict|list|set|OrderedDict|defaultdict|deque|Counter)\()/,
  ),
  numbers: inOrder("gm", declared, /\d+\s*$/),
  changed: anyOf(
    "",
    /\.(?:append|add|update|pop|insert|setdefault|extend|remove|discard|clear)\(/,
    /\[[^\]\n]+\](?:\[[^\]\n]+\])?\s*[-+*]?=(?!=)/,
  ),
  fields: () => [],
};

const decoding = anyOf(
  "g",
  /\bunquote(?:_plus)?\(\s*(?:self\.|flask\.)?request\.(?:path|url|scope)/,
  /\braw_path\b|["']\/[^"'\n]*%2[fF]/,
);

const sizes = inOrder(
  "g",
  /\b(MAX_CONTENT_LENGTH|client_max_size|DATA_UPLOAD_MAX_MEMORY_SIZE|max_body_size)/,
  /["']?\]?\s*=\s*([\d_]+(?:\s*\*{1,2}\s*[\d_]+)*)/,
);

function payloadHits({ code }: SourceText): readonly Hit[] {
  return [...code.matchAll(sizes)].flatMap((match) => {
    const bytes = numberOf(match[2] ?? "");
    if (bytes === null || bytes <= lambdaBodyBytesMax) return [];
    const message = `${match[1]} allows bodies of ${match[2]}`;
    return [{ rule: "payload-over-limit" as const, line: lineAt(code, match.index), message }];
  });
}

const leftmost =
  /["']x-forwarded-for["'][^;\n]*?\.split\([^)\n]*\)\s*\[\s*0\s*\]|\bx_for\s*=\s*[2-9]/gi;

/** What to look for in Python. */
export const pythonTable: CodeTable = {
  websocket,
  http2: /\bgrpc\.(?:aio\.)?server\(/g,
  encodedPath: decoding,
  events:
    /\bEventSourceResponse\(|(?:media_type|mimetype|content_type)\s*=\s*["']text\/event-stream/g,
  firstAddress: leftmost,
  state,
  others: [listenHits, fileHits, laterHits, payloadHits],
};
