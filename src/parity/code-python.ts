/** Rules for services in Python. */
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
import { anyOf, inOrder, lineAt, type SourceText } from "./source-text.ts";

const websocket = anyOf(
  "g",
  /@\w+\.websocket\(|\bwebsockets\.(?:asyncio\.server\.)?serve\(|\bSocketIO\(/,
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
  readonly port: number;
}

const servers: readonly PythonServer[] = [
  { call: /\buvicorn\.run\s*\(/g, what: "uvicorn", port: 8000 },
  { call: /(?<![\w.])app\.run\s*\(/g, what: "Flask's server", port: 5000 },
];

function listenHits(source: SourceText, context: CodeContext, name: string): readonly Hit[] {
  return servers.flatMap(({ call: pattern, what, port: usual }) =>
    callsOf(source, pattern).flatMap(({ args, line, index }) => {
      if (!runs(source, index, context, name)) return [];
      const hits: Hit[] = [];
      const host = keyword(args, "host");
      const address = host === null ? "127.0.0.1" : literalOf(host);
      if (address !== null && isLoopback(address)) {
        const how = host === null ? " unless told otherwise" : "";
        hits.push({
          rule: "listen-loopback",
          line,
          message: `${what} listens on ${address}${how}`,
        });
      }
      const given = keyword(args, "port");
      const port = given === null ? usual : numberOf(given);
      if (port !== null) {
        const message = `${what} listens on port ${port}, whatever PORT says`;
        const level = port === context.port ? "warning" : "error";
        hits.push({ rule: "port-hard-coded", line, message, level });
      }
      const seconds = keyword(args, "timeout_keep_alive");
      const kept = seconds === null ? 5 : numberOf(seconds);
      if (what === "uvicorn" && kept !== null && kept <= 60) {
        const message = `uvicorn keeps idle connections for ${kept} s`;
        hits.push({ rule: "keep-alive-short", line, message });
      }
      return hits;
    }),
  );
}

const opens = /(?<![\w.])(?:io\.)?open\s*\(/g;
const makes = anyOf(
  "g",
  /(?<!\w)(?:sqlite3\.connect|os\.makedirs|os\.mkdir|shelve\.open)\s*\(/,
  /(?<!\w)(?:logging\.)?(?:Rotating|TimedRotating)?FileHandler\s*\(/,
  /(?<!\w)shutil\.(?:copy|copyfile|copy2|move)\s*\(/,
);
const writesText =
  /\bPath\(\s*([rbf]?["'][^"'\n]*["'])\s*\)\s*\.\s*(?:write_text|write_bytes|mkdir|touch)\(/g;

function fileHits(source: SourceText): readonly Hit[] {
  const hit = (line: number, what: string): Hit => {
    return { rule: "write-outside-tmp", line, message: `writes ${shown(what)}` };
  };
  const opened = callsOf(source, opens).flatMap((call) => {
    const first = firstArgument(call);
    const behind = call.args.slice(call.args.indexOf(first) + first.length + 1);
    const mode = keyword(call.args, "mode") ?? behind.trim();
    if (!/^["'](?:[rbt]*\+|[bt]*[wax])/.test(mode)) return [];
    const path = literalOf(first);
    return path === null || isWritable(path) ? [] : [hit(call.line, first)];
  });
  const made = callsOf(source, makes).flatMap((call) => {
    const first = firstArgument(call);
    const copies = /^shutil/.test(call.head);
    const target = copies
      ? call.args.slice(call.args.indexOf(first) + first.length + 1).trim()
      : first;
    const path = literalOf(target);
    return path === null || isWritable(path) ? [] : [hit(call.line, target)];
  });
  const written = [...source.code.matchAll(writesText)].flatMap((match) => {
    const path = literalOf(match[1] ?? "");
    if (path === null || isWritable(path)) return [];
    return [hit(lineAt(source.code, match.index), match[1] ?? "")];
  });
  return [...opened, ...made, ...written];
}

const later = anyOf(
  "gm",
  /\b\w*background_?tasks?\.add_task\(|\bBackgroundTask\(/,
  /^[ \t]+(?:asyncio\.(?:create_task|ensure_future)\()/,
  /\bThread\([^)\n]*daemon\s*=\s*True|\b(?:BackgroundScheduler|AsyncIOScheduler)\(/,
  /@repeat_every\(/,
);

function laterHits(source: SourceText): readonly Hit[] {
  return hitsWhere(source, "work-after-response", later, (text) => `${text} is not awaited`);
}

const collections = inOrder(
  "gm",
  /^([A-Za-z_]\w*)(?:\s*:[^=\n]+)?/,
  /\s*=\s*(?:\{\s*\}|\[\s*\]|(?:dict|list|set|OrderedDict|defaultdict|deque)\()/,
);

const decoding = anyOf(
  "g",
  /\bunquote(?:_plus)?\(\s*(?:self\.|flask\.)?request\.(?:path|url|scope)/,
  /\braw_path\b|["']\/[^"'\n]*%2[fF]/,
);

const sizes = inOrder(
  "g",
  /\b(MAX_CONTENT_LENGTH|client_max_size|DATA_UPLOAD_MAX_MEMORY_SIZE|max_body_size)/,
  /["']?\]?\s*=\s*([\d_]+(?:\s*\*\s*[\d_]+)*)/,
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
  collections,
  changed: anyOf(
    "",
    /\.(?:append|add|update|pop|insert|setdefault|extend)\(/,
    /\[[^\]\n]+\]\s*[-+*]?=(?!=)/,
  ),
  others: [listenHits, fileHits, laterHits, payloadHits],
};
