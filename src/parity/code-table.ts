/** The rules that all languages share: each language is a table of what to look for. */
import type { Hit } from "./finding.ts";
import { type CodeContext, hitsWhere, soundsLikeState } from "./patterns.ts";
import { lineAt, type SourceText } from "./source-text.ts";

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
  /** Collections outside of functions; a group that takes part is the name. */
  readonly collections: RegExp;
  /** What follows the name of a collection that is changed. */
  readonly changed: RegExp;
  /** What takes more than a pattern. */
  readonly others: readonly CodeRule[];
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
    ...(context.streams
      ? []
      : hitsWhere(source, "server-sent-events", events, () => "answers with text/event-stream")),
    ...stateHits(table, source),
    ...others.flatMap((rule) => rule(source, context, name)),
  ];
}

function stateHits({ collections, changed }: CodeTable, { bare }: SourceText): readonly Hit[] {
  return [...bare.matchAll(collections)].flatMap((match) => {
    const name = match.slice(1).find((group) => group !== undefined) ?? "";
    if (!soundsLikeState(name)) return [];
    // Indented: what happens while the module loads is the same in each process.
    const place = `^[ \\t]+.*?(?<![\\w$.])${name.replaceAll("$", "\\$")}`;
    if (!new RegExp(`${place}(?:${changed.source})`, "m").test(bare)) return [];
    const message = `${name} is changed by requests and lives in this process alone`;
    return [{ rule: "state-in-memory" as const, line: lineAt(bare, match.index), message }];
  });
}
