/** The repository's own files, for the tests that read the source itself. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One text file of the repository. */
export interface SourceFile {
  /** Relative to the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
}

/** The root of the repository. */
export const root: string = join(import.meta.dirname, "..");

/** A file made of a text, as the checks see it. */
export function sourceFile(path: string, text: string): SourceFile {
  return { path, text, lines: text.split("\n") };
}

/** All text files that are in the repository or about to be added to it; data tables excepted. */
export function textFiles(): readonly SourceFile[] {
  const listed = execFileSync(
    "git",
    ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    { cwd: root, encoding: "utf8" },
  );
  const paths = [...new Set(listed.split("\0"))].filter((path) => path && !path.endsWith(".csv"));
  return paths
    .filter((path) => existsSync(join(root, path)))
    .map((path) => sourceFile(path, readFileSync(join(root, path), "utf8")))
    .filter((file) => !file.text.includes("\0"));
}

/** The modules that a TypeScript or JavaScript text imports, re-exports or loads on demand. */
export function importedModules(text: string): readonly string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  const statement = /^(?:import|export)\b(?:[^;"'`]*?\bfrom\b)?\s*["']([^"']+)["']/gm;
  const onDemand = /\bimport\(\s*["']([^"']+)["']/g;
  const required = /(?:\brequire|\.resolve)\(\s*["']([^"']+)["']/g;
  return [statement, onDemand, required].flatMap((pattern) =>
    [...code.matchAll(pattern)].map(([, specifier]) => specifier ?? ""),
  );
}
