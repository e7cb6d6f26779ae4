/** Splits a stripped module into tokens, as far as changing it needs. */

/** A piece of source that means something. Comments and white space are none. */
export interface Token {
  readonly kind: "word" | "number" | "text" | "mark";
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const marks = [
  ">>>=",
  "...",
  "===",
  "!==",
  "**=",
  "<<=",
  ">>=",
  ">>>",
  "&&=",
  "||=",
  "??=",
  "=>",
  "==",
  "!=",
  "<=",
  ">=",
  "&&",
  "||",
  "??",
  "?.",
  "++",
  "--",
  "+=",
  "-=",
  "*=",
  "/=",
  "%=",
  "**",
  "<<",
  ">>",
];

/** The tokens of a module without types. Texts of any kind are one token each. */
export function tokensOf(source: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const push = (kind: Token["kind"], end: number): void => {
    tokens.push({ kind, text: source.slice(at, end), start: at, end });
    at = end;
  };
  while (at < source.length) {
    const rest = source.slice(at, at + 200);
    const blank = /^(\s+|\/\/[^\n]*)/.exec(rest)?.[0];
    if (blank !== undefined) at += blank.length;
    else if (rest.startsWith("/*")) at = source.indexOf("*/", at) + 2;
    else if (/^["']/.test(rest)) push("text", endOfText(source, at));
    else if (rest.startsWith("`")) push("text", endOfTemplate(source, at));
    else if (/^[A-Za-z_$#]/.test(rest)) push("word", at + lengthOf(/^[\w$#]+/, rest));
    else if (/^\d/.test(rest)) {
      push("number", at + lengthOf(/^(0x[\da-f]+|[\d_]+(\.\d+)?(e[+-]?\d+)?)/i, rest));
    } else push("mark", at + (marks.find((mark) => rest.startsWith(mark))?.length ?? 1));
  }
  return tokens;
}

function lengthOf(pattern: RegExp, text: string): number {
  return pattern.exec(text)?.[0].length ?? 1;
}

function endOfText(source: string, start: number): number {
  const quote = source[start];
  let at = start + 1;
  while (at < source.length && source[at] !== quote) at += source[at] === "\\" ? 2 : 1;
  return at + 1;
}

function endOfTemplate(source: string, start: number): number {
  let depth = 0;
  for (let at = start + 1; at < source.length; at += 1) {
    if (source[at] === "\\") at += 1;
    else if (source.startsWith("${", at)) depth += 1;
    else if (source[at] === "}" && depth > 0) depth -= 1;
    else if (source[at] === "`" && depth === 0) return at + 1;
    else if (source[at] === "`") at = endOfTemplate(source, at) - 1;
  }
  return source.length;
}

const pairs: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

/** For each bracket the index of its partner. */
export function partnersOf(tokens: readonly Token[]): ReadonlyMap<number, number> {
  const partners = new Map<number, number>();
  const open: number[] = [];
  for (const [at, { kind, text }] of tokens.entries()) {
    if (kind !== "mark") continue;
    if (text in pairs) open.push(at);
    else if (text === ")" || text === "]" || text === "}") {
      const begun = open.pop() ?? 0;
      partners.set(begun, at);
      partners.set(at, begun);
    }
  }
  return partners;
}
