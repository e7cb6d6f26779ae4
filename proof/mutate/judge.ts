/**
 * Judges mutants in a process of its own: imports the proofs anew for each, with one module
 * changed on the way, and runs them until one fails.
 */
import { readFileSync } from "node:fs";
import { registerHooks, stripTypeScriptTypes } from "node:module";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { sources } from "./scope.ts";
import { firstFailure } from "./test-shim.ts";

/** What a judge is asked. */
export interface Question {
  readonly id: number;
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** Test files, the most likely to fail first. */
  readonly proofs: readonly string[];
}

/** What it answers: the first failure, or `null` if every proof passed. */
export interface Verdict {
  readonly id: number;
  readonly failure: string | null;
}

/** What it says in between: a proof has passed, the next one begins. */
export interface Progress {
  readonly id: number;
  readonly passed: string;
}

const root = new URL("../../", import.meta.url);
const shim = new URL("./test-shim.ts", import.meta.url).href;
const stripped = new Map<string, string>();
let question: Question | null = null;

/** The source of a module without its types, changed if it is the one in question. */
function sourceOf(path: string): string {
  let source = stripped.get(path);
  if (source === undefined) {
    source = stripTypeScriptTypes(readFileSync(path, "utf8"));
    stripped.set(path, source);
  }
  if (question === null || path !== fileURLToPath(new URL(question.file, root))) return source;
  return source.slice(0, question.start) + question.text + source.slice(question.end);
}

registerHooks({
  resolve(specifier, context, next) {
    const asked = /\?judged=\d+$/.exec(context.parentURL ?? "")?.[0];
    if (asked !== undefined && specifier === "node:test") return { url: shim, shortCircuit: true };
    const found = next(specifier, context);
    const ours = asked !== undefined && sources.some((folder) => inFolder(found.url, folder));
    return ours ? { ...found, url: found.url + asked } : found;
  },
  load(url, context, next) {
    if (!/\?judged=\d+$/.test(url)) return next(url, context);
    const source = sourceOf(fileURLToPath(url.replace(/\?.*$/, "")));
    return { format: "module", source, shortCircuit: true };
  },
});

function inFolder(url: string, folder: string): boolean {
  return url.startsWith(new URL(folder, root).href);
}

// The same inputs for every mutant, or a verdict would be a matter of luck.
fc.configureGlobal({ seed: 20_240_229 });

async function judge(asked: Question): Promise<string | null> {
  question = asked;
  for (const proof of asked.proofs) {
    try {
      await import(`${new URL(proof, root).href}?judged=${asked.id}`);
    } catch (error) {
      return `${proof} does not load: ${String(error).split("\n")[0]}`;
    }
    const failure = await firstFailure();
    if (failure !== null) return failure;
    process.send?.({ id: asked.id, passed: proof } satisfies Progress);
  }
  return null;
}

process.on("message", async (asked: Question) => {
  const verdict: Verdict = { id: asked.id, failure: await judge(asked) };
  process.send?.(verdict);
});
