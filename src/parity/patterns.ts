/** What the rules for all languages are made of: calls with their arguments, numbers, literals. */
import type { Hit } from "./finding.ts";
import type { RuleId } from "./rules.ts";
import { anyOf, insideBrackets, lineAt, type SourceText } from "./source-text.ts";

/** What is known about the service beside the file that is looked at. */
export interface CodeContext {
  /** `port` of the configuration. */
  readonly port: number;
  /** The configuration's command and the image's, one after the other. */
  readonly commands: string;
  /** Whether answers are streamed on Lambda. */
  readonly streams: boolean;
}

/** A call in a source text. */
export interface Call {
  readonly line: number;
  /** Where it begins. */
  readonly index: number;
  /** Where its bracket closes. */
  readonly end: number;
  /** What stands in front of the bracket. */
  readonly head: string;
  /** The code between the brackets. */
  readonly args: string;
  readonly argsBare: string;
}

/** All places that match; `pattern` must be global. `where` says which text it is looked for in. */
export function matches(
  source: SourceText,
  pattern: RegExp,
  where: "code" | "bare" = "code",
): readonly { readonly line: number; readonly index: number; readonly text: string }[] {
  const text = source[where];
  return [...text.matchAll(pattern)].map((match) => {
    // A pattern may begin with the blanks or the line end before what it means.
    const index = match.index + (match[0].length - match[0].trimStart().length);
    return { line: lineAt(text, index), index, text: match[0].trim() };
  });
}

/** Hits of a rule wherever the code matches, at most one for each line. */
export function hitsWhere(
  source: SourceText,
  rule: RuleId,
  pattern: RegExp,
  say: (text: string) => string,
): readonly Hit[] {
  const lines = new Set<number>();
  return matches(source, pattern).flatMap(({ line, index, text }) => {
    // What begins inside a string is no code.
    if (isInsideString(source, index) || lines.has(line)) return [];
    lines.add(line);
    return [{ rule, line, message: say(shown(text)) }];
  });
}

/** Whether the character at `index` stands in a string: there code and bare text differ. */
export function isInsideString({ code, bare }: SourceText, index: number): boolean {
  return bare[index] !== code[index];
}

/** A piece of code, short enough for a message. */
export function shown(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 60 ? `${line.slice(0, 57)}...` : line;
}

/** Calls whose head matches; `pattern` is global and ends with the opening bracket. */
export function callsOf(source: SourceText, pattern: RegExp): readonly Call[] {
  return matches(source, pattern, "bare").map(({ line, index, text }) => {
    const open = index + text.length - 1;
    const argsBare = insideBrackets(source.bare, open);
    const end = open + 1 + argsBare.length;
    const args = source.code.slice(open + 1, end);
    return { line, index, end, head: text.slice(0, -1), args, argsBare };
  });
}

/** The first argument of a call, as code. */
export function firstArgument({ args, argsBare }: Pick<Call, "args" | "argsBare">): string {
  let depth = 0;
  for (let at = 0; at < argsBare.length; at += 1) {
    const letter = argsBare[at] ?? "";
    if ("([{".includes(letter)) depth += 1;
    else if (")]}".includes(letter)) depth -= 1;
    else if (letter === "," && depth === 0) return args.slice(0, at).trim();
  }
  return args.trim();
}

/** The text of a string literal that begins the code, up to what is filled in; `null` if none. */
export function literalOf(code: string): string | null {
  const match = /^[rbuf]{0,2}(["'`])((?:\\.|(?!\1)[^\\\n])*)/i.exec(code);
  return match ? (match[2] ?? "").replace(/(?:\$?\{).*$/s, "") : null;
}

/** The value of `75_000`, `75 * 1000`, `5 * 1024**2` or `32 << 20`; `null` for anything else. */
export function numberOf(code: string): number | null {
  const text = code
    .replaceAll("_", "")
    .trim()
    .replace(/(\d+)\s*\*\*\s*(\d+)/g, (_, base, power) => `${Number(base) ** Number(power)}`);
  const shift = /^(\d+)\s*<<\s*(\d+)$/.exec(text);
  if (shift) return Number(shift[1]) * 2 ** Number(shift[2]);
  if (!/^\d+(?:\.\d+)?(?:e\d+)?(?:\s*\*\s*\d+(?:\.\d+)?)*$/.test(text)) return null;
  return text.split("*").reduce((product, factor) => product * Number(factor), 1);
}

/** `50mb` in bytes; `null` if it is no size. */
export function bytesOf(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*(b|kb|mb|gb)?$/i.exec(text.trim());
  if (!match) return null;
  const exponent = ["b", "kb", "mb", "gb"].indexOf((match[2] ?? "b").toLowerCase());
  return Number(match[1]) * 1024 ** exponent;
}

/** The largest event that Lambda takes. */
export const lambdaBodyBytesMax: number = 6 * 1024 * 1024;

/** A path that both tiers let a service write to, or one that is no file at all. */
export function isWritable(path: string): boolean {
  return /^(?:\/tmp(?:\/|$)|\/dev\/(?:null|std|shm|fd)|:memory:|file::memory:|$)/.test(path);
}

/** Whether an address is reachable from the machine itself alone. */
export function isLoopback(address: string): boolean {
  return /^(?:127\.\d+\.\d+\.\d+|localhost|::1|\[::1\])$/.test(address);
}

/** Names of what may well differ from process to process. */
const harmless = anyOf(
  "i",
  /cache|memo|registr|routes?$|handlers?|listeners?|timers?|sockets?|connections?|clients?$/,
  /pool|metrics|stats|in_?flight|pending|limit|seen|known|config|settings|options|types?$|schemas?/,
  /plugins?|middlewares?|errors?|queue|waiting|loaders?|loaded|compiled|templates?|instances?$/,
);
/** Names of numbers that count for the process itself, and for nobody else. */
const ownCount = anyOf(
  "i",
  /retr(?:y|ies)|attempt|request|active|open|running|busy|depth|level|total|start|fail|succe/,
  /tick|last|time|elapsed|since|health|indent|offset|index|seq(?:uence)?$|port|worker/,
);

/** Whether a collection of that name sounds like state that a client would miss. */
export function soundsLikeState(name: string): boolean {
  return !harmless.test(name);
}

/** Whether a number of that name sounds like one that clients are told. */
export function soundsLikeCount(name: string): boolean {
  return soundsLikeState(name) && !ownCount.test(name);
}
