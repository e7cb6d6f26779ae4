/** `lambdaflex init`: configuration, Dockerfile and, where there is none, a minimal service. */
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { type CommandDef, defineCommand } from "citty";
import { UserError } from "../config/errors.ts";
import { configFiles, nameFromFolder, parseConfig } from "../config/index.ts";
import { detectLanguage, detectStart } from "./init/detect.ts";
import { type Language, languages, templateFiles } from "./init/templates.ts";

const args = {
  folder: {
    type: "positional",
    required: false,
    valueHint: "FOLDER",
    description: "Where to; default here. It is made if it does not exist",
  },
  language: {
    type: "string",
    valueHint: "node|python|go",
    description:
      "Default: what the folder's package.json, requirements.txt or go.mod says, or node",
  },
  name: {
    type: "string",
    valueHint: "NAME",
    description: "Prefix of everything in AWS; default the folder's name",
  },
  domain: {
    type: "string",
    valueHint: "HOST",
    description: "Host name of the service, in a zone of Route 53",
  },
  json: { type: "boolean", description: "Print what was written as one JSON object" },
} as const;

/** What `init` did: nothing that existed was changed. */
export interface InitResult {
  readonly folder: string;
  readonly language: Language;
  readonly name: string;
  readonly wrote: readonly string[];
  readonly kept: readonly string[];
  /** What the user should look at. */
  readonly notes: readonly string[];
}

interface Options {
  readonly folder: string;
  readonly language: string | undefined;
  readonly name: string | undefined;
  readonly domain: string | undefined;
}

const command: CommandDef = defineCommand({
  meta: { name: "init", description: "A configuration, a Dockerfile and a minimal service" },
  args,
  run: async ({ args: given }) => {
    const { language, name, domain } = given;
    const result = await init({ folder: resolve(given.folder ?? "."), language, name, domain });
    const text = given.json === true ? `${JSON.stringify(result)}\n` : summary(result);
    process.stdout.write(text);
    return 0;
  },
}) as CommandDef;

export default command;

async function init({ folder, language: wanted, ...options }: Options): Promise<InitResult> {
  await requireFolder(folder);
  const language = languageNamed(wanted) ?? (await detectLanguage(folder)) ?? "node";
  const name = options.name ?? nameFromFolder(folder);
  const identity = { name, domain: options.domain ?? null };
  // What would be refused later is refused before anything is written.
  parseConfig({ ...identity, command: "true" }, folder, "the new configuration");
  const start = await detectStart(folder, language);
  const configured = await firstExisting(folder, configFiles);
  const wrote: string[] = [];
  const kept: string[] = configured === null ? [] : [configured];
  for (const { path, text } of await templateFiles(language, identity, start)) {
    if (path === "lambdaflex.json" && configured !== null) continue;
    ((await writeNew(join(folder, path), text)) ? wrote : kept).push(path);
  }
  const notes = await notesOn(folder, kept, start !== null && wrote.includes("lambdaflex.json"));
  return { folder, language, name, wrote, kept, notes };
}

function languageNamed(text: string | undefined): Language | null {
  if (text === undefined) return null;
  const found = languages.find((language) => language === text);
  if (found !== undefined) return found;
  const message = `--language must be node, python or go, not "${text}"`;
  throw new UserError("OPTION_INVALID", message, "Another language: see docs/bootstrap.md.");
}

async function requireFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => null);
  if (found === null || found.isDirectory()) return;
  const message = `${folder} is a file, not a folder`;
  throw new UserError("OPTION_INVALID", message, "Name a folder; it is made if it does not exist.");
}

async function firstExisting(folder: string, names: readonly string[]): Promise<string | null> {
  for (const name of names) {
    if (await stat(join(folder, name)).catch(() => null)) return name;
  }
  return null;
}

/** Writes a file that does not exist; false if it does. */
async function writeNew(path: string, text: string): Promise<boolean> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text, { flag: "wx" });
    return true;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    throw new UserError(
      "FOLDER_UNWRITABLE",
      `cannot write ${path}: ${message}`,
      "Nothing else was.",
    );
  }
}

/** A Dockerfile and a list of ignored files are the user's own: what they lack is said. */
async function notesOn(
  folder: string,
  kept: readonly string[],
  guessed: boolean,
): Promise<readonly string[]> {
  const lacks = async (path: string, words: RegExp): Promise<boolean> =>
    kept.includes(path) && !words.test(await readFile(join(folder, path), "utf8").catch(() => ""));
  const notes: string[] = [];
  if (await lacks("Dockerfile", /lambda-?(flex|adapter)/)) {
    notes.push("your Dockerfile was kept: on Lambda it needs the bootstrap, see docs/bootstrap.md");
  }
  if (await lacks(".gitignore", /\.lambdaflex/)) notes.push("add .lambdaflex/ to your .gitignore");
  if (guessed) notes.push("command and readiness.path in lambdaflex.json are guessed: check them");
  return notes;
}

function summary({ folder, language, name, wrote, kept, notes }: InitResult): string {
  const here = relative(process.cwd(), folder);
  const next = `${here === "" ? "" : `cd ${here} && `}lambdaflex rehearse`;
  const lines = [
    `${name}: a ${language} service in ${folder}`,
    ...wrote.map((path) => `  wrote  ${path}`),
    ...kept.map((path) => `  kept   ${path}`),
    ...notes.map((note) => `note: ${note}`),
    `next: ${next}    then: lambdaflex doctor, lambdaflex deploy`,
  ];
  return `${lines.join("\n")}\n`;
}
