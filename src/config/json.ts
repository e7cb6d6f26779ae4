/**
 * Finds where a text stops being JSON.
 *
 * `JSON.parse` reads the configuration; this runs only after it has failed, because its message has
 * no position for some errors.
 */

/** A place in a text, both counted from 1, and what is wrong there. */
export interface JsonError {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** Nesting beyond this is an error, so that the recursion has a bound. */
const depthMax = 100;

const space = /[ \t\r\n]*/y;
const escaped = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const literal = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;

class Stop extends Error {
  readonly offset: number;
  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

/** The first error of `source`, or `null` if it is valid JSON. */
export function locateJsonError(source: string): JsonError | null {
  try {
    const end = skip(source, value(source, skip(source, 0), 0));
    if (end < source.length) throw new Stop(end, unexpected(source, end, "the end of the file"));
    return null;
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    const before = source.slice(0, error.offset).split("\n");
    const column = (before.at(-1)?.length ?? 0) + 1;
    return { line: before.length, column, message: error.message };
  }
}

function skip(source: string, offset: number): number {
  return match(space, source, offset) ?? offset;
}

/** The end of the match at `offset`, `null` if there is none. */
function match(pattern: RegExp, source: string, offset: number): number | null {
  pattern.lastIndex = offset;
  return pattern.test(source) ? pattern.lastIndex : null;
}

function unexpected(source: string, offset: number, expected: string): string {
  const char = source[offset];
  const found = char === undefined ? "the end of the file" : JSON.stringify(char);
  if (char === "/") return "comments are not part of JSON";
  if (char === "'") return 'text stands in double quotes, "like this"';
  return `expected ${expected}, found ${found}`;
}

function value(source: string, offset: number, depth: number): number {
  if (depth > depthMax) throw new Stop(offset, `nested deeper than ${depthMax} levels`);
  const char = source[offset];
  if (char === "{") return list(source, offset, depth, "}");
  if (char === "[") return list(source, offset, depth, "]");
  if (char === '"') return textEnd(source, offset);
  const end = match(literal, source, offset);
  if (end === null) throw new Stop(offset, unexpected(source, offset, "a value"));
  return end;
}

function textEnd(source: string, begin: number): number {
  let offset = begin + 1;
  while (offset < source.length) {
    const char = source[offset] ?? "";
    if (char === '"') return offset + 1;
    if (char < " ") throw new Stop(offset, "a line break or control character inside of a text");
    const end = char === "\\" ? match(escaped, source, offset) : offset + 1;
    if (end === null) throw new Stop(offset, "this escape does not exist in JSON");
    offset = end;
  }
  throw new Stop(begin, "this text has no closing quote");
}

/** Reads an object or a list up to its closing bracket. */
function list(source: string, begin: number, depth: number, close: "}" | "]"): number {
  let offset = skip(source, begin + 1);
  if (source[offset] === close) return offset + 1;
  for (;;) {
    if (close === "}") offset = key(source, offset);
    offset = skip(source, value(source, offset, depth + 1));
    if (source[offset] === close) return offset + 1;
    if (source[offset] !== ",") {
      throw new Stop(offset, unexpected(source, offset, `"," or "${close}"`));
    }
    const comma = offset;
    offset = skip(source, offset + 1);
    if (source[offset] === close) throw new Stop(comma, `no comma before the closing "${close}"`);
  }
}

/** Reads `"key":` and returns where its value begins. */
function key(source: string, offset: number): number {
  if (source[offset] !== '"') {
    throw new Stop(offset, unexpected(source, offset, "a key in double quotes"));
  }
  const colon = skip(source, textEnd(source, offset));
  if (source[colon] !== ":") throw new Stop(colon, unexpected(source, colon, '":"'));
  return skip(source, colon + 1);
}
