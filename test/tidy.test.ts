/** The house limits (CONTRIBUTING.md), checked on the source itself. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { importedModules, root, type SourceFile, sourceFile, textFiles } from "./sources.ts";

const fileLinesMax = 400;
const functionLinesMax = 70;
const lineColumnsMax = 100;

/** A check returns one line per violation, beginning with the path. */
type Check = (file: SourceFile) => readonly string[];

const isCode = (path: string): boolean => /\.(ts|mts|js|mjs|cjs|sh|py|css)$/.test(path);
const isTypeScript = (path: string): boolean => /\.m?ts$/.test(path);
const isTest = (path: string): boolean => /\.(test|fuzz|perf)\.ts$/.test(path);
const isMarkdown = (path: string): boolean => path.endsWith(".md");

/** Forbidden words are put together here, so that this file does not contain them. */
const words = (...halves: readonly (readonly [string, string])[]): string =>
  halves.map((half) => half.join("")).join("|");

const unfinished = new RegExp(`\\b(${words(["TO", "DO"], ["FIX", "ME"], ["X", "XX"])})\\b`);
const focused = new RegExp(`\\.(${words(["on", "ly"], ["sk", "ip"])})\\(`);
const vague = new Set(["util", "utils", "helper", "helpers", "common", "manager", "managers"]);
const machinePath = new RegExp(
  `(?<![\\w.@-])/(${words(["wo", "rk"], ["ro", "ot"], ["ho", "me"])}|Users)/`,
);
const registryHost =
  /https?:\/\/[^/\s"']*\b(registry|npmjs|artifactory|nexus|verdaccio|codeartifact)\b/;

function matchingLines(file: SourceFile, pattern: RegExp): string[] {
  return file.lines.flatMap((line, at) =>
    pattern.test(line) ? [`${file.path}:${at + 1}: ${line.trim().slice(0, 80)}`] : [],
  );
}

const fileLength: Check = ({ path, lines }) => {
  const count = lines.at(-1) === "" ? lines.length - 1 : lines.length;
  return isCode(path) && count > fileLinesMax ? [`${path}: ${count} lines`] : [];
};

const lineLength: Check = ({ path, lines }) =>
  lines.flatMap((line, at) => {
    const columns = [...line].length;
    return isCode(path) && columns > lineColumnsMax
      ? [`${path}:${at + 1}: ${columns} columns`]
      : [];
  });

const indentOf = (line: string): number => line.length - line.trimStart().length;
const isTail = (line: string): boolean => /^\s*[)}\]]/.test(line);

/** Ends the head of a function, or of a control statement: `foo() {`, `): X {`, `=> {`, `} {`. */
const headEnd = /(=>|\)(: .+)?|^\s*\}) \{$/;
const notFunction = /^(\} )?(if|else|for|while|do|switch|case|try|catch|class|interface|type)\b/;
/** Groups of tests, not functions to be understood at once. */
const testGroup = /^(export )?(describe|suite)\(/;

interface Span {
  readonly from: number;
  readonly to: number;
  readonly head: string;
}

/**
 * Relies on the formatter: the brace that closes a function has the indentation of the line that
 * the function begins on, and so has the last line of a head that takes several lines.
 */
function functionsOf(lines: readonly string[]): readonly Span[] {
  return lines.flatMap((line, at) => {
    if (!headEnd.test(line)) return [];
    const indent = indentOf(line);
    const sameIndent = (other: string): boolean => other !== "" && indentOf(other) === indent;
    let from = at;
    while (from > 0 && (isTail(lines[from] ?? "") || !sameIndent(lines[from] ?? ""))) from -= 1;
    const head = (lines[from] ?? "").trim();
    if (notFunction.test(head) || testGroup.test(head)) return [];
    const to = lines.findIndex((other, index) => index > at && sameIndent(other) && isTail(other));
    return [{ from, to, head }];
  });
}

/** A function's own lines: those of functions inside it are theirs, as methods are of a class. */
const functionLength: Check = ({ path, lines }) => {
  if (!isTypeScript(path)) return [];
  const spans = functionsOf(lines);
  return spans.flatMap(({ from, to, head }) => {
    const inside = spans.filter((span) => span.from > from && span.to < to);
    const outermost = inside.filter(
      (span) => !inside.some((other) => other.from < span.from && other.to > span.to),
    );
    const theirs = outermost.reduce((sum, span) => sum + span.to - span.from, 0);
    const count = to - from + 1 - theirs;
    return count > functionLinesMax ? [`${path}:${from + 1}: ${count} lines: ${head}`] : [];
  });
};

const declaration =
  /^export (?:(?:async|abstract) )*(?:function\*?|const|let|class|interface|type) (\w+)/;

const documented: Check = ({ path, lines }) => {
  if (!isTypeScript(path) || isTest(path)) return [];
  const overloads = new Set<string>();
  return lines.flatMap((line, at) => {
    const name = declaration.exec(line)?.[1];
    if (name === undefined || overloads.has(name)) return [];
    overloads.add(name);
    return lines[at - 1]?.endsWith("*/") ? [] : [`${path}:${at + 1}: ${name} has no doc comment`];
  });
};

/** `alarmManager` → alarm, manager. */
const namesIn = (text: string): readonly string[] =>
  text
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/);

const named: Check = ({ path, lines }) => {
  const inPath = namesIn(path).some((word) => vague.has(word)) ? [`${path}: vague file name`] : [];
  if (!isTypeScript(path)) return inPath;
  const exported = lines.flatMap((line) => declaration.exec(line)?.[1] ?? []);
  const inNames = exported.filter((name) => namesIn(name).some((word) => vague.has(word)));
  return [...inPath, ...inNames.map((name) => `${path}: vague name ${name}`)];
};

const finished: Check = (file) => matchingLines(file, unfinished);
const unfocused: Check = (file) => (isTypeScript(file.path) ? matchingLines(file, focused) : []);
const portable: Check = (file) => [
  ...matchingLines(file, machinePath),
  ...matchingLines(file, registryHost),
];

const linked: Check = ({ path, text }) => {
  if (!isMarkdown(path)) return [];
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = ""]) => {
    const target = link.replace(/#.*$/, "");
    if (target === "" || /^[a-z]+:/.test(target)) return [];
    return existsSync(join(root, dirname(path), target)) ? [] : [`${path}: no ${link}`];
  });
};

interface Manifest {
  readonly scripts?: Readonly<Record<string, string>>;
  readonly bin?: string | Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const pinned: Check = ({ path, text }) => {
  if (!path.endsWith("package.json")) return [];
  const manifest = JSON.parse(text) as Manifest;
  const { dependencies, devDependencies, optionalDependencies } = manifest;
  const all = { ...dependencies, ...devDependencies, ...optionalDependencies };
  return Object.entries(all)
    .filter(([, version]) => !/^(\d+\.\d+\.\d+(-[\w.]+)?|file:.+)$/.test(version))
    .map(([name, version]) => `${path}: ${name} is not pinned: ${version}`);
};

/** A runtime dependency must be imported; a development one imported, typed against or run. */
function unusedDependencies(manifest: Manifest, files: readonly SourceFile[]): readonly string[] {
  const imported = files.filter(({ path }) => /\.[mc]?[tj]s$/.test(path)).flatMap(importsOf);
  const scripts = Object.values(manifest.scripts ?? {}).join("\n");
  const commands = [scripts, ...files.filter(({ path }) => path.startsWith(".ci/")).map(textOf)];
  const isImported = (name: string): boolean =>
    imported.some((specifier) => specifier === name || specifier.startsWith(`${name}/`));
  const isRun = (name: string): boolean =>
    binariesOf(name).some((bin) => commands.some((text) => new RegExp(`\\b${bin}\\b`).test(text)));
  const isTyped = (name: string): boolean =>
    name === "@types/node" || (name.startsWith("@types/") && isImported(name.slice(7)));
  const runtime = Object.keys(manifest.dependencies ?? {}).filter((name) => !isImported(name));
  const development = Object.entries(manifest.devDependencies ?? {})
    .filter(([, version]) => !version.startsWith("file:"))
    .map(([name]) => name)
    .filter((name) => !isImported(name) && !isTyped(name) && !isRun(name));
  return [...runtime, ...development];
}

const importsOf = ({ text }: SourceFile): readonly string[] => importedModules(text);
const textOf = ({ text }: SourceFile): string => text;

function binariesOf(name: string): readonly string[] {
  const path = join(root, "node_modules", name, "package.json");
  if (!existsSync(path)) return [];
  const { bin = {} } = JSON.parse(readFileSync(path, "utf8")) as Manifest;
  return typeof bin === "string" ? [name.replace(/^.*\//, "")] : Object.keys(bin);
}

const body = (count: number): string => "  x();\n".repeat(count);

/** Each check with a sentence, an example that it must refuse and one that it must accept. */
const checks: readonly (readonly [string, Check, bad: SourceFile, good: SourceFile])[] = [
  [
    `files have at most ${fileLinesMax} lines`,
    fileLength,
    sourceFile("src/a.ts", "x;\n".repeat(401)),
    sourceFile("src/a.ts", "x;\n".repeat(400)),
  ],
  [
    `lines have at most ${lineColumnsMax} columns`,
    lineLength,
    sourceFile("src/a.ts", "→".repeat(101)),
    sourceFile("src/a.ts", "→".repeat(100)),
  ],
  [
    `functions have at most ${functionLinesMax} lines`,
    functionLength,
    sourceFile("src/a.ts", `async function f(\n  a: A,\n): Promise<void> {\n${body(67)}}\n`),
    sourceFile("src/a.ts", `function f() {\n${body(68)}}\nif (a) {\n${body(99)}}\n`),
  ],
  [
    "every exported symbol has a doc comment",
    documented,
    sourceFile("src/a.ts", "/** The file. */\n\nexport const a = 1;\n"),
    sourceFile("src/a.ts", "/** One. */\nexport const a = 1;\nexport { b } from './b.ts';\n"),
  ],
  [
    "names say what a thing is",
    named,
    sourceFile("src/a.ts", "export class AlarmManager {\n"),
    sourceFile("src/utility-bill.ts", "export class Alarm {\n"),
  ],
  [
    "nothing is left unfinished",
    finished,
    sourceFile("docs/a.md", `- ${["TO", "DO"].join("")}: write this`),
    sourceFile("docs/a.md", "- nothing to do"),
  ],
  [
    "no test is focused or left out",
    unfocused,
    sourceFile("src/a.test.ts", `test${".on"}ly("x", () => {});`),
    sourceFile("src/a.test.ts", 'test("x", () => {});'),
  ],
  [
    "no path of one machine, no registry",
    portable,
    sourceFile("README.md", `see ${["", "home", "me", "notes"].join("/")}`),
    sourceFile("README.md", "see https://example.com/home/page and ./root/here"),
  ],
  [
    "relative links lead somewhere",
    linked,
    sourceFile("docs/a.md", "[b](missing.md#part)"),
    sourceFile("docs/a.md", "[b](../package.json) [c](#part) [d](https://example.com)"),
  ],
  [
    "versions are pinned",
    pinned,
    sourceFile("package.json", '{ "dependencies": { "a": "^1.2.3" } }'),
    sourceFile("package.json", '{ "dependencies": { "a": "1.2.3", "b": "file:b" } }'),
  ],
];

const files = textFiles();

describe("tidy", () => {
  for (const [sentence, check, bad, good] of checks) {
    test(sentence, () => {
      assert.equal(check(bad).length, 1, "the check bites");
      assert.deepEqual(check(good), [], "the check spares what is right");
      assert.deepEqual(files.flatMap(check), []);
    });
  }

  test("every dependency is used", () => {
    const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;
    assert.deepEqual(unusedDependencies({ dependencies: { "not-imported": "1.0.0" } }, files), [
      "not-imported",
    ]);
    assert.deepEqual(unusedDependencies(manifest, files), []);
  });

  test("the lockfile names no registry", () => {
    const lockfile = readFileSync(join(root, "package-lock.json"), "utf8");
    assert.doesNotMatch(lockfile, /"resolved": "https?:/);
  });
});
