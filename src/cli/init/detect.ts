/** Finds out what an existing project is written in and how it starts. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../config/errors.ts";
import type { Language, Start } from "./templates.ts";

const markers: Readonly<Record<string, Language>> = {
  "package.json": "node",
  "requirements.txt": "python",
  "pyproject.toml": "python",
  "go.mod": "go",
};

/** The language whose manifest lies in the folder, `null` without one. */
export async function detectLanguage(folder: string): Promise<Language | null> {
  const entries = await readdir(folder).catch(() => []);
  const found = entries.filter((name) => Object.hasOwn(markers, name)).toSorted();
  const languages = new Set(found.map((name) => markers[name]));
  if (languages.size <= 1) return [...languages][0] ?? null;
  const message = `${folder} has ${found.join(" and ")}`;
  throw new UserError("LANGUAGE_UNCLEAR", message, "Say which one: --language node|python|go.");
}

/** How the project starts, `null` if there is none yet. */
export async function detectStart(folder: string, language: Language): Promise<Start | null> {
  const found = await { node: nodeStart, python: pythonStart, go: goStart }[language](folder);
  return found === null ? null : { readiness: "/", ...found };
}

type Found = Omit<Start, "readiness"> & Partial<Pick<Start, "readiness">>;

async function textOf(path: string): Promise<string | null> {
  return readFile(path, "utf8").catch(() => null);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** A path that the source answers health checks at, by the names that are customary. */
async function readinessIn(file: string): Promise<Partial<Pick<Start, "readiness">>> {
  const path = /["'`](\/(?:healthz|health|readyz|ready|livez|ping))["'`]/.exec(
    (await textOf(file)) ?? "",
  )?.[1];
  return path === undefined ? {} : { readiness: path };
}

interface Manifest {
  readonly main?: unknown;
  readonly scripts?: Readonly<Record<string, unknown>>;
}

async function nodeStart(folder: string): Promise<Found | null> {
  const text = await textOf(join(folder, "package.json"));
  const { main, scripts = {} } = manifestOf(text ?? "{}", folder);
  const setup = (await exists(join(folder, "package-lock.json"))) ? "npm ci" : null;
  const script = typeof scripts.start === "string" ? scripts.start.trim() : null;
  if (script !== null) {
    // npm does not pass signals on to its child in every version: what it runs is run directly.
    const direct = /^node\s+(?:--\S+\s+)*(\S+)$/.exec(script);
    const readiness = await readinessIn(join(folder, direct?.[1] ?? "server.js"));
    const command = direct === null ? "npm start" : script;
    return { command, setup, inImage: command, ...readiness };
  }
  for (const file of [main, "server.js", "index.js", "app.js", "src/index.js", "src/server.js"]) {
    if (typeof file !== "string" || !(await exists(join(folder, file)))) continue;
    const command = `node ${file}`;
    return { command, setup, inImage: command, ...(await readinessIn(join(folder, file))) };
  }
  return null;
}

function manifestOf(text: string, folder: string): Manifest {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `${join(folder, "package.json")} is no JSON: ${why}`;
    throw new UserError("LANGUAGE_UNCLEAR", message, "Repair it, then run init again.");
  }
}

const venv = "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt";

async function pythonStart(folder: string): Promise<Found | null> {
  const listed = await textOf(join(folder, "requirements.txt"));
  const setup = listed === null ? null : venv;
  const bin = setup === null ? "" : ".venv/bin/";
  for (const file of ["main.py", "app.py", "server.py", "src/main.py"]) {
    const text = await textOf(join(folder, file));
    if (text === null) continue;
    const readiness = await readinessIn(join(folder, file));
    const module = file.replace(/\.py$/, "").replaceAll("/", ".");
    const asgi = /^(\w+)(?::[^=]+)?\s*=\s*(?:FastAPI|Starlette|Litestar)\(/m.exec(text)?.[1];
    if (asgi !== undefined) {
      const rest = `uvicorn ${module}:${asgi} --port $PORT --timeout-keep-alive 75`;
      return { command: bin + rest, setup, inImage: `${rest} --host $HOST`, ...readiness };
    }
    const wsgi = /^(\w+)(?::[^=]+)?\s*=\s*Flask\(/m.exec(text)?.[1];
    if (wsgi !== undefined && /^gunicorn\b/m.test(listed ?? "")) {
      const rest = `gunicorn ${module}:${wsgi} --keep-alive 75 --worker-class gthread`;
      const local = `${bin}${rest} --bind 127.0.0.1:$PORT`;
      return { command: local, setup, inImage: `${rest} --bind $HOST:$PORT`, ...readiness };
    }
    const python = setup === null ? "python3" : `${bin}python`;
    return { command: `${python} ${file}`, setup, inImage: `python ${file}`, ...readiness };
  }
  return null;
}

async function goStart(folder: string): Promise<Found | null> {
  const commands = await readdir(join(folder, "cmd")).catch(() => []);
  const files = await readdir(folder).catch(() => []);
  const source = await Promise.all(
    files.filter((file) => file.endsWith(".go")).map((file) => textOf(join(folder, file))),
  );
  const atRoot = source.some((text) => /^package main\b/m.test(text ?? ""));
  const [only, ...others] = commands;
  const where = atRoot ? "." : only !== undefined && others.length === 0 ? `./cmd/${only}` : null;
  if (where === null) return null;
  const main = join(folder, where, "main.go");
  const build = `go build -o .lambdaflex/service ${where}`;
  return {
    command: `${build} && exec .lambdaflex/service`,
    setup: build,
    inImage: "/app/service",
    ...(await readinessIn(main)),
  };
}
