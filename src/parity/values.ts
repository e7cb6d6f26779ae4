/** What a piece of code stands for: names of constants followed, paths put together. */
import { firstArgument, literalOf, numberOf } from "./patterns.ts";
import { insideBrackets, type Language, type SourceText } from "./source-text.ts";

const nameOnly = /^[A-Za-z_$][\w$]*$/;
/** Names that lead to names: so far and no further. */
const stepsMax = 4;

const declarations: Readonly<Record<Language, (name: string) => RegExp>> = {
  javascript: (name) => new RegExp(`\\b(?:const|let|var)\\s+${name}\\s*(?::[^=\\n]+)?=\\s*`, "g"),
  python: (name) => new RegExp(`^[ \\t]*${name}\\s*(?::[^=\\n]+)?=(?!=)\\s*`, "gm"),
  go: (name) =>
    new RegExp(`(?:^|\\b(?:const|var)\\s)[ \\t]*${name}\\s*(?:string|int)?\\s*:?=(?!=)\\s*`, "gm"),
};

/** The code that a name is set to, if it is set in one place only; other code as it is. */
function resolved(source: SourceText, code: string, steps = 0): string {
  const text = code.trim();
  if (!nameOnly.test(text) || steps >= stepsMax) return text;
  const { language } = source;
  const found = [...source.bare.matchAll(declarations[language](text.replaceAll("$", "\\$")))];
  const [only] = found;
  if (only === undefined || found.length > 1 || isSetAgain(source, text)) return text;
  const from = only.index + only[0].length;
  const line = source.bare.indexOf("\n", from);
  const value = source.code.slice(from, line < 0 ? undefined : line).replace(/[;,]?\s*$/, "");
  return resolved(source, value, steps + 1);
}

/** Python has no word for a declaration: there the first of two assignments is not known. */
function isSetAgain({ bare, language }: SourceText, name: string): boolean {
  if (language === "python") return false;
  const plain = new RegExp(`^[ \\t]*${name.replaceAll("$", "\\$")}\\s*=(?!=)`, "gm");
  return language === "javascript" && plain.test(bare);
}

/** The number that code stands for; `null` if it is not known before it runs. */
export function numberIn(source: SourceText, code: string): number | null {
  return numberOf(resolved(source, code));
}

/** The text that code begins with, up to what is not known; `null` if that is all of it. */
export function textIn(source: SourceText, code: string): string | null {
  return literalOf(resolved(source, code));
}

const joiners = /^(?:(?:path|os\.path|filepath|pathlib)\.)?(?:join|resolve|Join|Path|normalize)\(/;
const besideCode =
  /^(?:__dirname|import\.meta\.|process\.cwd\(\)|os\.getcwd\(\)|(?:os\.path\.\w+\()*__file__)/;
const besidePath = /^(?:fileURLToPath\(\s*)?new URL\([^)]*import\.meta\.url/;

/**
 * The path of a file that code names, up to what is not known; `null` if that is all of it. What
 * lies beside the code begins with `./`.
 */
export function pathIn(source: SourceText, code: string, steps = 0): string | null {
  const text = resolved(source, code);
  if (steps > stepsMax) return null;
  if (besideCode.test(text) || besidePath.test(text)) return "./";
  const filled = /^[fF]?["'`]\$?\{([\w$.]+)\}/.exec(text)?.[1];
  if (filled !== undefined) return pathIn(source, filled, steps + 1);
  const literal = literalOf(text);
  if (literal !== null) return literal;
  const joiner = joiners.exec(text)?.[0];
  if (joiner !== undefined) {
    const args = insideBrackets(text, joiner.length - 1);
    return pathIn(source, firstArgument({ args, argsBare: args }), steps + 1);
  }
  const left = /^([\w$]+)\s*[+/]\s*\S/.exec(text)?.[1];
  return left === undefined ? null : pathIn(source, left, steps + 1);
}
