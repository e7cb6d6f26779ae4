/** Whether code runs for a request, or once while the service starts. */
import type { Language, SourceText } from "./source-text.ts";

/** Tells for a place in `source` whether it stands in a function that requests may call. */
export function functionsOf({ language, bare }: SourceText): (index: number) => boolean {
  const spans = findSpans[language](bare);
  return (index) => spans.some(([from, to]) => index >= from && index < to);
}

type Span = readonly [from: number, to: number];

const findSpans: Readonly<Record<Language, (bare: string) => readonly Span[]>> = {
  javascript: (bare) => [...bracedSpans(bare, isScriptFunction), ...shortArrows(bare)],
  python: indentedSpans,
  go: (bare) => bracedSpans(bare, isGoFunction),
};

/** The blocks in braces that `isFunction` takes, by the code in front of them. */
function bracedSpans(bare: string, isFunction: (before: string) => boolean): readonly Span[] {
  const spans: Span[] = [];
  const open: { readonly at: number; readonly taken: boolean }[] = [];
  for (let at = 0; at < bare.length; at += 1) {
    if (bare[at] === "{") {
      open.push({ at, taken: isFunction(bare.slice(Math.max(0, at - 300), at)) });
    } else if (bare[at] === "}") {
      const block = open.pop();
      if (block?.taken) spans.push([block.at, at]);
    }
  }
  return spans;
}

/** What a loop over a collection calls belongs to where the loop stands. */
const loops =
  /\.(?:forEach|map|flatMap|filter|reduce|sort)\(\s*(?:async\s*)?(?:\([^()]*\)|[\w$]+)\s*=>$/;
const notFunctions = /^(?:if|for|while|switch|catch|with|await)$/;

/** `=> {`, `function name(…) {` and methods, but no `if (…) {`. */
function isScriptFunction(before: string): boolean {
  const text = before.trimEnd().replace(/\)\s*:\s*[\w<>[\]{}|&.,\s]+$/, ")");
  if (text.endsWith("=>")) return !loops.test(text);
  if (!text.endsWith(")")) return false;
  let depth = 0;
  let at = text.length - 1;
  for (; at >= 0; at -= 1) {
    if (text[at] === ")") depth += 1;
    else if (text[at] === "(") depth -= 1;
    if (depth === 0) break;
  }
  const word = /([\w$]+)\s*(?:<[^<>]*>)?\s*$/.exec(text.slice(0, Math.max(0, at)))?.[1];
  return word !== undefined && !notFunctions.test(word);
}

/** `x => f(x)`: up to the end of the line. */
function shortArrows(bare: string): readonly Span[] {
  return [...bare.matchAll(/=>(?!\s*\{)[^\n]*/g)].flatMap(({ index, 0: { length } }) => {
    const before = bare.slice(Math.max(0, index - 300), index + 2);
    return loops.test(before) ? [] : [[index, index + length] as const];
  });
}

/** `func` with a body, but for what runs before anything is served. */
function isGoFunction(before: string): boolean {
  const head = before.slice(Math.max(0, before.lastIndexOf("func"))).replace(/\{\}/g, "");
  return /^func\b[^{}]*$/.test(head) && !/^func\s+(?:init|main)\s*\(/.test(head);
}

/** Bodies of `def`, by their indentation; decorators and defaults are not in them. */
function indentedSpans(bare: string): readonly Span[] {
  const heads = /^([ \t]*)(?:async[ \t]+)?def\b/gm;
  return [...bare.matchAll(heads)].map((match) => {
    const [{ length }, indent = ""] = match;
    const from = match.index + length;
    const after = new RegExp(`\\n(?!${indent}[ \\t]|[ \\t]*(?:\\n|$|\\)))`, "g");
    after.lastIndex = from;
    return [from, after.exec(bare)?.index ?? bare.length];
  });
}
