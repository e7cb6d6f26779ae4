/**
 * Reads a Dockerfile: instructions with their lines, continuations and heredocs joined, variables
 * of ARG and ENV filled in, stages told apart.
 */

/** One instruction. */
export interface Instruction {
  /** Upper case. */
  readonly keyword: string;
  /** Everything behind the keyword and its flags, continuation lines joined. */
  readonly text: string;
  /** `--platform=…` as `platform`. */
  readonly flags: Readonly<Record<string, string>>;
  /** The words of the list form, `null` in the shell form. */
  readonly words: readonly string[] | null;
  /** From 1 on. */
  readonly line: number;
}

/** One `FROM` and what follows it. */
export interface Stage {
  /** Its name in lower case, else its number. */
  readonly name: string;
  /** The image or earlier stage that it begins with. */
  readonly base: string;
  /** `linux/arm64` of `--platform`, `null` if it is not said. */
  readonly platform: string | null;
  readonly line: number;
  readonly instructions: readonly Instruction[];
}

/** A Dockerfile that was understood. */
export interface Dockerfile {
  readonly stages: readonly Stage[];
}

/** A Dockerfile that cannot be read; `line` is where. */
export class DockerfileError extends Error {
  override readonly name = "DockerfileError";
  readonly line: number;
  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

const keywords = new Set(
  (
    "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL " +
    "STOPSIGNAL USER VOLUME WORKDIR"
  ).split(" "),
);

/** Parses a Dockerfile. Throws DockerfileError. */
export function parseDockerfile(text: string): Dockerfile {
  const instructions = instructionsOf(text);
  const globals: Record<string, string> = {};
  const stages: (Omit<Stage, "instructions"> & { instructions: Instruction[] })[] = [];
  for (const instruction of instructions) {
    const { keyword, line } = instruction;
    const stage = stages.at(-1);
    if (keyword === "FROM") {
      stages.push(stageOf(instruction, globals, stages.length));
    } else if (stage) {
      stage.instructions.push(instruction);
    } else if (keyword === "ARG") {
      Object.assign(globals, assignments(instruction.text, globals));
    } else throw new DockerfileError(line, `${keyword} before the first FROM`);
  }
  if (stages.length === 0) throw new DockerfileError(1, "there is no FROM");
  return { stages };
}

function stageOf(
  { text, flags, line }: Instruction,
  globals: Readonly<Record<string, string>>,
  index: number,
): Omit<Stage, "instructions"> & { instructions: Instruction[] } {
  const match = /^(\S+)(?:\s+as\s+(\S+))?$/i.exec(text);
  if (!match?.[1]) throw new DockerfileError(line, `FROM ${text} is not "FROM image [AS name]"`);
  const base = filled(match[1], globals);
  if (base === "") throw new DockerfileError(line, `FROM ${match[1]} names no image`);
  const platform = flags.platform === undefined ? null : filled(flags.platform, globals);
  const name = (match[2] ?? String(index)).toLowerCase();
  return { name, base, platform, line, instructions: [] };
}

/** Joins continued lines and heredocs; comments and empty lines in between are dropped. */
function instructionsOf(text: string): readonly Instruction[] {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const continues = /^#\s*escape\s*=\s*`/im.test(lines.slice(0, 5).join("\n")) ? "`" : "\\";
  const found: Instruction[] = [];
  let at = 0;
  while (at < lines.length) {
    const first = lines[at] ?? "";
    if (/^\s*(?:#|$)/.test(first)) {
      at += 1;
      continue;
    }
    const line = at + 1;
    let joined = "";
    for (;;) {
      const piece = lines[at] ?? "";
      at += 1;
      if (joined !== "" && /^\s*(?:#|$)/.test(piece)) {
        if (at >= lines.length) break;
        continue;
      }
      const trimmed = piece.trimEnd();
      const goesOn = trimmed.endsWith(continues);
      joined += goesOn ? `${trimmed.slice(0, -1)} ` : trimmed;
      if (!goesOn || at >= lines.length) break;
    }
    at = skipHeredocs(joined, lines, at, line);
    found.push(instructionOf(joined.trim(), line));
  }
  return found;
}

/** `RUN <<EOF` takes the lines up to EOF; they are a script, not instructions. */
function skipHeredocs(head: string, lines: readonly string[], from: number, line: number): number {
  let at = from;
  if (!/^\s*(?:RUN|COPY|ADD)\b/i.test(head)) return at;
  for (const [, tabs, , word = ""] of head.matchAll(/<<(-?)(["']?)([A-Za-z_]\w*)\2/g)) {
    const ends = (text: string): boolean => (tabs ? text.replace(/^\t+/, "") : text) === word;
    while (at < lines.length && !ends(lines[at] ?? "")) at += 1;
    if (at >= lines.length) throw new DockerfileError(line, `the heredoc ${word} has no end`);
    at += 1;
  }
  return at;
}

function instructionOf(text: string, line: number): Instruction {
  const [, word = "", rest = ""] = /^(\S+)\s*([\s\S]*)$/.exec(text) ?? [];
  const keyword = word.toUpperCase();
  if (!keywords.has(keyword)) {
    throw new DockerfileError(line, `"${word.slice(0, 40)}" is no Dockerfile instruction`);
  }
  if (rest === "") throw new DockerfileError(line, `${keyword} has no argument`);
  const flags: Record<string, string> = {};
  let behind = rest;
  for (;;) {
    const flag = /^--([a-z]+)(?:=(\S+))?(?:\s+|$)/.exec(behind);
    if (!flag?.[1]) break;
    flags[flag[1]] = flag[2] ?? "";
    behind = behind.slice(flag[0].length);
  }
  return { keyword, text: behind, flags, words: listOf(behind), line };
}

function listOf(text: string): readonly string[] | null {
  if (!text.startsWith("[")) return null;
  try {
    const list: unknown = JSON.parse(text);
    const words = Array.isArray(list) && list.every((word) => typeof word === "string");
    return words ? (list as string[]) : null;
  } catch {
    // As Docker: what is no JSON list is a line for the shell.
    return null;
  }
}

/** `A=1 B="two words"` and the old form `A one value`. */
export function assignments(
  text: string,
  known: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const found: Record<string, string> = {};
  if (!/^[A-Za-z_]\w*=/.test(text)) {
    const [, name, value = ""] = /^([A-Za-z_]\w*)(?:\s+([\s\S]*))?$/.exec(text) ?? [];
    if (name !== undefined) found[name] = filled(value.trim(), known);
    return found;
  }
  const pair = /([A-Za-z_]\w*)=((?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])*)/g;
  for (const [, name = "", raw = ""] of text.matchAll(pair)) {
    const bare = raw.replace(/"((?:\\.|[^"\\])*)"|'([^']*)'|\\(.)/g, (_, a, b, c) => a ?? b ?? c);
    found[name] = filled(bare, known);
  }
  return found;
}

/** Fills in `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME:+other}`. */
export function filled(text: string, known: Readonly<Record<string, string>>): string {
  const variable = /\$(?:(\w+)|\{(\w+)(?::([-+])([^}]*))?\})/g;
  return text.replace(variable, (_, short, long, kind, other) => {
    const name: string = short ?? long;
    const value = Object.hasOwn(known, name) ? (known[name] ?? "") : "";
    if (kind === "-") return value === "" ? other : value;
    if (kind === "+") return value === "" ? "" : other;
    return value;
  });
}

/** What a container of the image begins with. */
export interface ImageFacts {
  /** The last stage and those that it is built on, the first one first. */
  readonly chain: readonly Stage[];
  /** The image that all of it begins with. */
  readonly base: string;
  readonly env: Readonly<Record<string, string>>;
  readonly user: Instruction | null;
  readonly entrypoint: Instruction | null;
  readonly cmd: Instruction | null;
  readonly exposed: readonly { readonly port: number; readonly line: number }[];
  readonly copies: readonly Instruction[];
}

/** Facts of the image that the last stage makes. */
export function imageFacts({ stages }: Dockerfile): ImageFacts {
  const chain: Stage[] = [];
  let stage = stages.at(-1);
  while (stage && !chain.includes(stage)) {
    chain.unshift(stage);
    const { base } = stage;
    const before = stages.slice(0, stages.indexOf(stage));
    stage = before.findLast(({ name }) => name === base.toLowerCase());
  }
  const env: Record<string, string> = {};
  const all = chain.flatMap(({ instructions }) => instructions);
  for (const { keyword, text } of all) {
    if (keyword === "ENV" || keyword === "ARG") Object.assign(env, assignments(text, env));
  }
  const last = (keyword: string): Instruction | null =>
    all.findLast((instruction) => instruction.keyword === keyword) ?? null;
  const exposed = all
    .filter(({ keyword }) => keyword === "EXPOSE")
    .flatMap(({ text, line }) =>
      filled(text, env)
        .split(/\s+/)
        .flatMap((word) => {
          const port = /^(\d{1,5})(?:\/tcp)?$/i.exec(word)?.[1];
          return port === undefined ? [] : [{ port: Number(port), line }];
        }),
    );
  const copies = all.filter(({ keyword }) => keyword === "COPY" || keyword === "ADD");
  const [from] = chain;
  const base = from?.base ?? "";
  const facts = { chain, base, env, user: last("USER"), entrypoint: last("ENTRYPOINT") };
  return { ...facts, cmd: last("CMD"), exposed, copies };
}
