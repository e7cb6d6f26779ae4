/** Rules over all source files of a service. */
import { goServers, goTable } from "./code-go.ts";
import {
  javascriptPromises,
  javascriptServers,
  javascriptTable,
  keepsAlive,
} from "./code-javascript.ts";
import { pythonServers, pythonTable } from "./code-python.ts";
import { type CodeTable, tableHits } from "./code-table.ts";
import type { Hit } from "./finding.ts";
import { type CodeContext, numberOf } from "./patterns.ts";
import { type Language, lineAt, type SourceText, sourceText } from "./source-text.ts";

/** A file of the service. */
export interface CodeFile {
  /** Relative, with forward slashes. */
  readonly path: string;
  readonly language: Language;
  readonly text: string;
}

/** A hit and the file that it is in. */
export interface FileHit extends Hit {
  readonly path: string;
}

interface ReadFile extends CodeFile {
  readonly source: SourceText;
}

/** All hits in the code of a service. */
export function codeHits(files: readonly CodeFile[], context: CodeContext): readonly FileHit[] {
  const read = files.map((file) => ({ ...file, source: sourceText(file.language, file.text) }));
  const own = read.flatMap(({ path, language, source }) => {
    const hits = tableHits(tables[language], source, context, nameOf(path));
    return hits.map((hit) => ({ ...hit, path }));
  });
  return [...own, ...shutdownHits(read, context), ...keepAliveHits(read)];
}

const nameOf = (path: string): string => path.split("/").at(-1) ?? path;

const tables: Readonly<Record<Language, CodeTable>> = {
  javascript: javascriptTable,
  python: pythonTable,
  go: goTable,
};

/** Where servers begin, by language; those that frameworks run handle SIGTERM themselves. */
const serverStarts: Readonly<
  Record<Language, (source: SourceText, context: CodeContext, name: string) => readonly number[]>
> = {
  javascript: javascriptServers,
  python: pythonServers,
  go: goServers,
};

const handlesTermination: Readonly<Record<Language, RegExp>> = {
  javascript: javascriptPromises.sigterm,
  python: /\bSIGTERM\b/,
  go: /\bSIGTERM\b/,
};

/** The signal may be handled in another file than the one that listens. */
function shutdownHits(files: readonly ReadFile[], context: CodeContext): readonly FileHit[] {
  return files.flatMap(({ path, language, source }) => {
    const [line] = serverStarts[language](source, context, nameOf(path));
    if (line === undefined) return [];
    const same = files.filter((file) => file.language === language);
    if (same.some((file) => handlesTermination[language].test(file.source.code))) return [];
    const message = "a server is started and nothing handles SIGTERM";
    return [{ path, rule: "sigterm-ignored" as const, line, message }];
  });
}

/** Real milliseconds that the balancer keeps an idle connection to a task. */
const balancerIdleMs = 60_000;

/** Node closes idle connections after 5 s unless told otherwise, in whatever file. */
function keepAliveHits(files: readonly ReadFile[]): readonly FileHit[] {
  const scripts = files.filter(({ language }) => language === "javascript");
  const settings = scripts.flatMap(({ path, source }) =>
    [...source.bare.matchAll(javascriptPromises.keepAlive)].map((match) => {
      const line = lineAt(source.bare, match.index);
      return { path, line, text: match[1] ?? "", ms: numberOf(match[1] ?? "") };
    }),
  );
  const rule = "keep-alive-short" as const;
  const short = settings.filter(({ ms }) => ms !== null && ms <= balancerIdleMs);
  if (settings.length > 0) {
    return short.map(({ path, line, text }) => {
      return { path, rule, line, message: `idle connections are closed after ${text} ms` };
    });
  }
  return scripts.flatMap(({ path, source }) => {
    const [line] = javascriptServers(source);
    if (line === undefined || keepsAlive(source)) return [];
    return [{ path, rule, line, message: "Node closes idle connections after 5 s" }];
  });
}
