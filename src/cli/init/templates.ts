/** What `init` writes: the files of the examples, with the name and the command of the project. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Languages that `init` knows. */
export const languages = ["node", "python", "go"] as const;

/** One of them. */
export type Language = (typeof languages)[number];

/** How a project is started, here and in its image. */
export interface Start {
  readonly command: string;
  readonly setup: string | null;
  /** The same in the image, where dependencies are installed for good. */
  readonly inImage: string;
  /** Path for health checks. */
  readonly readiness: string;
}

/** What a project is called and where it will be reached. */
export interface Identity {
  readonly name: string;
  readonly domain: string | null;
}

/** A file to be written. */
export interface TemplateFile {
  readonly path: string;
  readonly text: string;
}

const always = ["lambdaflex.json", "Dockerfile", ".dockerignore"];

/** The minimal service itself, which a project that has a service does not need. */
const service: Readonly<Record<Language, readonly string[]>> = {
  node: ["package.json", "server.js"],
  python: ["requirements.txt", "app.py"],
  go: ["go.mod", "main.go"],
};

/** Manifests that the Dockerfile copies, so that they must exist in any case. */
const manifests: Readonly<Record<Language, readonly string[]>> = {
  node: ["package.json"],
  python: ["requirements.txt"],
  go: ["go.mod"],
};

/** Folder of a language's example; the package ships the examples beside its code. */
export function exampleFolder(language: Language): string {
  return fileURLToPath(new URL(`../../../examples/hello-${language}`, import.meta.url));
}

/**
 * The files of a new project: those of the example, renamed. With `start`, the files that an
 * existing project lacks: configuration, Dockerfile and what the Dockerfile relies on.
 */
export async function templateFiles(
  language: Language,
  identity: Identity,
  start: Start | null,
): Promise<readonly TemplateFile[]> {
  const rest = start === null ? service[language] : manifests[language];
  const read = [...always, ...rest].map(async (path) => {
    const text = await readFile(join(exampleFolder(language), path), "utf8");
    return { path, text: rewritten(path, text, identity, start) };
  });
  return [...(await Promise.all(read)), { path: ".gitignore", text: ignored[language] }];
}

/** Not taken from the examples: npm packs no file of this name. */
const ignored: Readonly<Record<Language, string>> = {
  node: ".lambdaflex/\nnode_modules/\n",
  python: ".lambdaflex/\n.venv/\n__pycache__/\n",
  go: ".lambdaflex/\n",
};

function rewritten(path: string, text: string, identity: Identity, start: Start | null): string {
  switch (path) {
    case "lambdaflex.json":
      return start === null ? named(text, identity) : configOf(identity, start);
    case "package.json":
      return text.replace(/"name": "[^"]*"/, () => `"name": ${JSON.stringify(identity.name)}`);
    case "go.mod":
      return text.replace(/^module .*$/m, () => `module ${identity.name}`);
    case "Dockerfile":
      return start === null ? text : startedBy(text, start);
    default:
      return text;
  }
}

function named(text: string, { name, domain }: Identity): string {
  const lines = [`"name": ${JSON.stringify(name)}`];
  if (domain !== null) lines.push(`"domain": ${JSON.stringify(domain)}`);
  return text.replace(/"name": "[^"]*"/, () => lines.join(",\n  "));
}

function configOf({ name, domain }: Identity, start: Start): string {
  const { command, setup, readiness } = start;
  const config = {
    name,
    ...(domain !== null && { domain }),
    command,
    ...(setup !== null && { setup }),
    readiness: { path: readiness },
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

function startedBy(dockerfile: string, { inImage, readiness }: Start): string {
  const line = `CMD ${JSON.stringify(["/bin/sh", "-c", `exec ${inImage}`])}`;
  return dockerfile
    .replace(/^CMD .*$/m, () => line)
    .replace(/(AWS_LWA_READINESS_CHECK_PATH)=\S+/, (_, variable) => `${variable}=${readiness}`);
}
