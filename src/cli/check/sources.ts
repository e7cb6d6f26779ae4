/** The files of a service, as the rules read them. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { CodeFile } from "../../parity/code-rules.ts";
import { languageOf, languageOfProgram } from "../../parity/source-text.ts";

/** Beyond these, a folder is no source of a service: the rest is not looked at. */
const filesMax = 2_000;
const bytesMax = 512 * 1024;

/** Folders and files that are about the service without being part of it. */
const beside = new Set(
  (
    "test tests __tests__ spec specs fixtures example examples doc docs bench benchmarks scripts " +
    "tools migrations cdk.out build out coverage vendor site-packages"
  ).split(" "),
);
const besideFile = new RegExp(
  [
    /(?:\.|_|-)(?:test|tests|spec|stories|bench|perf|fuzz|e2e)\.[a-z]+$/,
    /^(?:test_.*|conftest|setup|noxfile|gulpfile|gruntfile)\.[a-z]+$/,
    /\.(?:config|conf|setup|d)\.[a-z]+$/,
    /\.min\.js$/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "i",
);

/** The source files of a folder, without tests, tools and what `ignore` names. */
export async function sourcesOf(
  folder: string,
  ignore: readonly string[],
): Promise<readonly CodeFile[]> {
  const files: CodeFile[] = [];
  const walk = async (path: string): Promise<void> => {
    const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      if (files.length >= filesMax || ignore.includes(entry.name)) continue;
      const full = join(path, entry.name);
      // Links are not followed: they can lead in circles, and out of the service.
      if (entry.isDirectory()) {
        if (!entry.name.startsWith(".") && !beside.has(entry.name.toLowerCase())) await walk(full);
      } else if (entry.isFile()) await take(full, entry.name);
    }
  };
  const take = async (full: string, name: string): Promise<void> => {
    // `bin/www` of many Express services says in its first line what it is.
    const named = languageOf(name);
    if ((named === null && name.includes(".")) || besideFile.test(name)) return;
    const { size } = await stat(full);
    if (size > bytesMax) return;
    const text = await readFile(full, "utf8");
    const language = named ?? languageOfProgram(text);
    if (language === null) return;
    const path = relative(folder, full).split(sep).join("/");
    files.push({ path, language, text });
  };
  await walk(folder);
  return files;
}
