/** The changes that are made to a module, one at a time: each weakens or removes something. */
import { partnersOf, type Token, tokensOf } from "./tokens.ts";

/** One change of one file. */
export interface Mutant {
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** Line number, and what was there and what is there now, to be recognised again. */
  readonly line: number;
  readonly was: string;
  readonly is: string;
}

/** Where an operator looks, and how it says what it would change. */
interface Site {
  readonly tokens: readonly Token[];
  readonly partners: ReadonlyMap<number, number>;
  readonly at: number;
  readonly token: Token;
  text(at: number): string;
  replace(text: string, from?: number, to?: number): void;
}

type Operator = (site: Site) => void;

const swaps: Readonly<Record<string, readonly string[]>> = {
  "<": ["<="],
  "<=": ["<"],
  ">": [">="],
  ">=": [">"],
  "===": ["!=="],
  "!==": ["==="],
  "!=": ["=="],
  "&&": ["||"],
  "||": ["&&"],
  "??": ["&&"],
  "*": ["/"],
  "/": ["*"],
  "-": ["+"],
  "+": ["-"],
  "**": ["*"],
  "+=": ["-="],
  "-=": ["+="],
  "%": ["*"],
  true: ["false"],
  false: ["true"],
  min: ["max"],
  max: ["min"],
  floor: ["ceil"],
  ceil: ["floor"],
  round: ["floor"],
  some: ["every"],
  every: ["some"],
};

/** Replaces one operator or word by another. */
const swap: Operator = ({ token, text, at, replace }) => {
  if (token.kind === "text" || token.kind === "number" || !Object.hasOwn(swaps, token.text)) return;
  if (token.kind === "word") {
    const called = text(at - 1) === "." && text(at + 1) === "(";
    if (!called && token.text !== "true" && token.text !== "false") return;
  }
  // What is joined to a text is a message.
  const joins = token.text === "+" && (isText(text(at - 1)) || isText(text(at + 1)));
  const sign = (token.text === "-" || token.text === "+") && isOperator(text(at - 1));
  if (joins || sign) return;
  for (const other of swaps[token.text] ?? []) replace(other);
};

const isText = (text: string): boolean => /^["'`]/.test(text);
const isOperator = (text: string): boolean => /^([(,=?:&|[{;<>+*/-]+|return)$/.test(text);

/** `if (x)` and `while (x)`: always, and never. */
const forceCondition: Operator = ({ token, at, text, partners, replace }) => {
  if ((token.text !== "if" && token.text !== "while") || text(at + 1) !== "(") return;
  const close = partners.get(at + 1) ?? at + 1;
  replace("false", at + 2, close - 1);
  if (token.text === "if") replace("true", at + 2, close - 1);
};

const beforeCondition = new Set([
  "=",
  "=>",
  "(",
  "[",
  "{",
  ",",
  ";",
  "return",
  ":",
  "?",
  "??",
  "}",
]);

/** `x ? a : b`: always a, and always b. */
const forceChoice: Operator = ({ token, at, text, partners, replace }) => {
  if (token.text !== "?" || token.kind !== "mark") return;
  let from = at - 1;
  while (from > 0 && !beforeCondition.has(text(from))) from = (partners.get(from) ?? from) - 1;
  if (from + 1 > at - 1) return;
  replace("true", from + 1, at - 1);
  replace("false", from + 1, at - 1);
};

/** `!x` becomes `x`. */
const affirm: Operator = ({ token, replace }) => {
  if (token.text === "!" && token.kind === "mark") replace("");
};

/** A number becomes the next one, and the one before or its half. */
const shiftNumber: Operator = ({ token, replace }) => {
  if (token.kind !== "number") return;
  const value = Number(token.text.replaceAll("_", ""));
  replace(Number.isInteger(value) ? String(value + 1) : String(value * 2));
  if (value !== 0) replace(Number.isInteger(value) ? String(value - 1) : String(value / 2));
};

const declares = new Set(
  (
    "const let return function import export if for while switch case default class try type " +
    "async else do finally catch"
  ).split(" "),
);

/** A statement that is an assignment, a call, a jump or a throw is left out. */
const removeStatement: Operator = ({ token, at, text, partners, replace, tokens }) => {
  const starts = [";", "{", "}", ")", "else"].includes(text(at - 1)) || at === 0;
  if (!starts || token.kind !== "word" || declares.has(token.text)) {
    return;
  }
  let end = at;
  while (end < tokens.length && text(end) !== ";") {
    if (text(end) === "}" || text(end) === ",") return;
    end = (partners.get(end) ?? end) < end ? end + 1 : (partners.get(end) ?? end) + 1;
  }
  const second = text(at + 1);
  const isStatement =
    /^(continue|break|throw)$/.test(token.text) ||
    /^([-+*/&|?]*=|\+\+|--|\.|\?\.|\(|\[)$/.test(second);
  if (isStatement && text(at - 1) !== ")") replace("", at, end);
  else if (isStatement) replace(";", at, end);
};

/** A result becomes nothing. */
const emptyResult: Operator = ({ token, at, text, partners, replace, tokens }) => {
  if (token.text !== "return" || [";", "null", "true", "false", "[", "{"].includes(text(at + 1)))
    return;
  let end = at + 1;
  while (end < tokens.length && text(end) !== ";") end = (partners.get(end) ?? end) + 1;
  replace("null", at + 1, end - 1);
};

/** A field that is set after a spread, and an element of a list of names, is left out. */
const dropElement: Operator = ({ token, at, text, partners, replace }) => {
  const open = openingBefore(at, text, partners);
  if (open < 0) return;
  const first = text(at - 1) === "," || at - 1 === open;
  if (!first || token.kind !== "word") return;
  const spreads = text(open) === "{" && text(open + 1) === "..." && at > open + 2;
  const listed = text(open) === "[" && [",", "]"].includes(text(at + 1)) && isList(open, text);
  if (!spreads && !listed) return;
  const close = partners.get(open) ?? at;
  let end = at;
  while (end < close && text(end) !== ",") end = (partners.get(end) ?? end) + 1;
  replace("", at, text(end) === "," ? end : end - 1);
};

const isList = (open: number, text: Site["text"]): boolean =>
  ["=", "(", ",", ":", "return", "?"].includes(text(open - 1));

function openingBefore(at: number, text: Site["text"], partners: Site["partners"]): number {
  for (let before = at - 1; before >= 0; before -= 1) {
    const mark = text(before);
    if (mark === ")" || mark === "]" || mark === "}") before = partners.get(before) ?? before;
    else if (mark === "(" || mark === "[" || mark === "{") return before;
    else if (mark === ";") return -1;
  }
  return -1;
}

const operators: readonly Operator[] = [
  swap,
  forceCondition,
  forceChoice,
  affirm,
  shiftNumber,
  removeStatement,
  emptyResult,
  dropElement,
];

/** All mutants of a module, whose types have been blanked out. */
export function mutantsOf(file: string, source: string): readonly Mutant[] {
  const tokens = tokensOf(source);
  const partners = partnersOf(tokens);
  const mutants = new Map<string, Mutant>();
  const text = (at: number): string => tokens[at]?.text ?? "";
  for (const [at, token] of tokens.entries()) {
    const replace: Site["replace"] = (by, from = at, to = from) => {
      const start = tokens[from]?.start ?? 0;
      const end = tokens[Math.max(from, to)]?.end ?? start;
      const mutant = described(file, source, start, end, by);
      if (mutant !== null) mutants.set(`${start} ${end} ${by}`, mutant);
    };
    const site: Site = { tokens, partners, at, token, text, replace };
    if (inImport(at, text)) continue;
    for (const operator of operators) operator(site);
  }
  return [...mutants.values()];
}

function inImport(at: number, text: Site["text"]): boolean {
  let first = at;
  while (first > 0 && text(first - 1) !== ";") first -= 1;
  return (
    text(first) === "import" ||
    (text(first) === "export" &&
      text(first + 1) !== "function" &&
      text(first + 1) !== "const" &&
      text(first + 1) !== "async" &&
      text(first + 1) !== "class")
  );
}

const squeeze = (text: string): string => text.replace(/\s+/g, " ").trim();

function described(
  file: string,
  source: string,
  start: number,
  end: number,
  text: string,
): Mutant | null {
  if (source.slice(start, end) === text) return null;
  const lineStart = source.lastIndexOf("\n", start - 1) + 1;
  const next = source.indexOf("\n", end);
  const lineEnd = next < 0 ? source.length : next;
  const was = squeeze(source.slice(lineStart, lineEnd));
  const is = squeeze(source.slice(lineStart, start) + text + source.slice(end, lineEnd));
  if (was === is) return null;
  const line = source.slice(0, start).split("\n").length;
  return { file, start, end, text, line, was, is };
}
