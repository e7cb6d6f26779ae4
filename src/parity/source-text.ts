/**
 * Source text with comments and strings told apart, so that rules look at code and not at words
 * about it. Every result keeps the length and the lines of the original.
 */

/** A pattern that matches where one of `patterns` does. */
export function anyOf(flags: string, ...patterns: readonly RegExp[]): RegExp {
  return new RegExp(patterns.map(({ source }) => `(?:${source})`).join("|"), flags);
}

/** A pattern that matches what `patterns` match one after the other. */
export function inOrder(flags: string, ...patterns: readonly RegExp[]): RegExp {
  return new RegExp(patterns.map(({ source }) => `(?:${source})`).join(""), flags);
}

/** Languages that the rules know. */
export type Language = "javascript" | "python" | "go";

/** A source file as rules see it. */
export interface SourceText {
  readonly language: Language;
  /** Comments blanked out. */
  readonly code: string;
  /** Comments and the insides of strings blanked out. */
  readonly bare: string;
}

const languages: Readonly<Record<string, Language>> = {
  js: "javascript",
  mjs: "javascript",
  cjs: "javascript",
  jsx: "javascript",
  ts: "javascript",
  mts: "javascript",
  cts: "javascript",
  tsx: "javascript",
  py: "python",
  go: "go",
};

/** The language of a file by its name, `null` if the rules do not know it. */
export function languageOf(path: string): Language | null {
  const extension = /\.([a-z]+)$/.exec(path)?.[1] ?? "";
  return Object.hasOwn(languages, extension) ? (languages[extension] ?? null) : null;
}

/** The language of a program without an extension, by its first line; `null` if it names none. */
export function languageOfProgram(text: string): Language | null {
  const program = /^#!\S*(?:\/|\s)(node|python3?)\b/.exec(text)?.[1];
  if (program === undefined) return null;
  return program === "node" ? "javascript" : "python";
}

/** Comments, strings and, in JavaScript, regular expressions; the first alternative that fits. */
const tokens: Readonly<Record<Language, RegExp>> = {
  javascript: anyOf(
    "g",
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\[\s\S]|[^"\\\n])*"|'(?:\\[\s\S]|[^'\\\n])*'/,
    /`(?:\\[\s\S]|[^`\\])*`/,
    /(?<=[=(,:;!&|?{}[\n]\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/,
  ),
  python:
    /#[^\n]*|"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:\\[\s\S]|[^"\\\n])*"|'(?:\\[\s\S]|[^'\\\n])*'/g,
  go: /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|`[^`]*`|'(?:\\.|[^'\\\n])+'/g,
};

/** Reads a source text. */
export function sourceText(language: Language, text: string): SourceText {
  const code = text.replace(tokens[language], (token) => {
    return isComment(language, token) ? blank(token) : token;
  });
  const bare = text.replace(tokens[language], (token) => {
    if (isComment(language, token) || token.length < 2) return blank(token);
    return `${token[0]}${blank(token.slice(1, -1))}${token.at(-1)}`;
  });
  return { language, code, bare };
}

function isComment(language: Language, token: string): boolean {
  return language === "python" ? token.startsWith("#") : /^\/[/*]/.test(token);
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, " ");
}

/** The number of the line that holds the character at `index`, from 1 on. */
export function lineAt(text: string, index: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < index; at = text.indexOf("\n", at + 1)) {
    line += 1;
  }
  return line;
}

/** A bracket that does not close within so many characters was none: the text was misread … */
const bracketsMax = 50_000;
/** … and so much of its line is taken for what it holds. */
const misreadMax = 1000;

/** The text between the bracket at `open` and the one that closes it, both left out. */
export function insideBrackets(bare: string, open: number): string {
  const pairs: Readonly<Record<string, string>> = { "(": ")", "{": "}", "[": "]" };
  const closing = pairs[bare[open] ?? ""];
  let depth = 0;
  const end = Math.min(bare.length, open + bracketsMax);
  for (let at = open; at < end; at += 1) {
    if (bare[at] === bare[open]) depth += 1;
    else if (bare[at] === closing) depth -= 1;
    if (depth === 0) return bare.slice(open + 1, at);
  }
  return bare.slice(open + 1, open + 1 + misreadMax).split("\n", 1)[0] ?? "";
}
