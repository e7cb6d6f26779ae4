/** The rules that all languages share: each language is a table of what to look for. */
import type { Hit } from "./finding.ts";
import {
  type CodeContext,
  hitsWhere,
  matches,
  shown,
  soundsLikeCount,
  soundsLikeState,
} from "./patterns.ts";
import { functionsOf } from "./scope.ts";
import { inOrder, lineAt, type SourceText } from "./source-text.ts";

/** A rule of one language alone; `name` is the file's, which commands may run. */
export type CodeRule = (source: SourceText, context: CodeContext, name: string) => readonly Hit[];

/** What to look for in one language. All patterns are global. */
export interface CodeTable {
  readonly websocket: RegExp;
  readonly http2: RegExp;
  /** Where a path is expected to arrive encoded. */
  readonly encodedPath: RegExp;
  /** Where an answer becomes a stream of events. */
  readonly events: RegExp;
  /** Where the client's address is taken from the first entry. */
  readonly firstAddress: RegExp;
  readonly state: StatePatterns;
  /** What takes more than a pattern. */
  readonly others: readonly CodeRule[];
}

/** How state looks that outlives a request. A group that takes part is the name. */
export interface StatePatterns {
  /** Collections and numbers outside of functions. */
  readonly collections: RegExp;
  readonly numbers: RegExp;
  /** What follows the name of a collection that is changed. */
  readonly changed: RegExp;
  /** Collections of an object that serves all requests: what has the name in front of it. */
  readonly fields: (source: SourceText) => readonly NamedPlace[];
}

/** A name, and where it is declared. */
export interface NamedPlace {
  readonly name: string;
  readonly index: number;
}

/** Hits in one file. */
export function tableHits(
  table: CodeTable,
  source: SourceText,
  context: CodeContext,
  name: string,
): readonly Hit[] {
  const { websocket, http2, encodedPath, events, firstAddress, others } = table;
  return [
    ...hitsWhere(source, "websocket", websocket, (text) => `a WebSocket server: ${text}`),
    ...hitsWhere(source, "http2-grpc", http2, (text) => `HTTP/2 or gRPC: ${text}`),
    ...hitsWhere(source, "encoded-path", encodedPath, (text) => {
      return `relies on an encoded path: ${text}`;
    }),
    ...hitsWhere(source, "client-address-first", firstAddress, (text) => {
      return `trusts the first entry: ${text}`;
    }),
    ...forwardedHits(source),
    ...(context.streams
      ? []
      : hitsWhere(source, "server-sent-events", events, () => "answers with text/event-stream")),
    ...stateHits(table, source),
    ...others.flatMap((rule) => rule(source, context, name)),
  ];
}

/** The header is put into a variable first, and then the first entry is taken. */
function forwardedHits(source: SourceText): readonly Hit[] {
  const header = inOrder(
    "gi",
    /(?<![\w$])([\w$]+)\s*:?=(?!=)[^;\n=]*["'`](?:HTTP_)?X[-_]Forwarded[-_]For["'`]/,
    /(?![^;\n]*split\()/,
  );
  return matches(source, header).flatMap(({ index, line, text }) => {
    const name = /^[\w$]+/.exec(text)?.[0].replaceAll("$", "\\$") ?? "";
    const first = new RegExp(
      `(?<![\\w$.])${name}\\b[^;\\n]{0,40}\\.split\\([^)\\n]*\\)\\s*(?:\\?\\.)?\\[\\s*0\\s*\\]|` +
        `\\bSplit\\(\\s*${name}\\s*,[^)\\n]*\\)\\s*\\[\\s*0\\s*\\]`,
    );
    if (!first.test(source.code.slice(index, index + 600))) return [];
    const message = `trusts the first entry of ${shown(text)}`;
    return [{ rule: "client-address-first" as const, line, message }];
  });
}

const named = (match: RegExpMatchArray): NamedPlace => {
  const name = match.slice(1).find((group) => group !== undefined) ?? "";
  return { name, index: (match.index ?? 0) + match[0].indexOf(name) };
};

/** What is changed while the service starts is the same in each process, and no finding. */
function stateHits({ state }: CodeTable, source: SourceText): readonly Hit[] {
  const { bare } = source;
  const { collections, numbers, changed, fields } = state;
  const inFunction = functionsOf(source);
  const changes = (before: string, name: string, after: string): boolean => {
    const pattern = `${before}${name.replaceAll("$", "\\$")}(?:${after})`;
    return [...bare.matchAll(new RegExp(pattern, "g"))].some(({ index }) => inFunction(index));
  };
  const hit = ({ name, index }: NamedPlace): Hit => {
    const message = `${name} is changed by requests and lives in this process alone`;
    return { rule: "state-in-memory", line: lineAt(bare, index), message };
  };
  const alone = "(?<![\\w$.])";
  const declared = (pattern: RegExp): readonly NamedPlace[] =>
    [...bare.matchAll(pattern)].map(named).filter(({ index }) => isOutside(bare, index));
  const kept = declared(collections).filter(
    ({ name }) => soundsLikeState(name) && changes(alone, name, changed.source),
  );
  const counted = declared(numbers).filter(({ name }) => {
    const steps = "\\s*(?:\\+\\+|\\+=)|\\.Add\\(";
    const before = "(?:\\+\\+|\\batomic\\.Add\\w+\\(&)";
    if (!soundsLikeCount(name)) return false;
    return changes(alone, name, steps) || changes(before, name, "(?![\\w$])");
  });
  const owned = fields(source).filter(
    ({ name }) => soundsLikeState(name) && changes("\\.", name, changed.source),
  );
  return [...kept, ...counted, ...owned].map(hit);
}

/** Whether a place is in no block. */
function isOutside(bare: string, index: number): boolean {
  const before = bare.slice(0, index);
  return before.split("{").length === before.split("}").length;
}
