/** Findings from files alone: configuration, Dockerfile and code. */
import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { UserError } from "../../config/errors.ts";
import { argvOf, type LoadedConfig } from "../../config/index.ts";
import { withoutAccepted } from "../../parity/accept.ts";
import { codeHits } from "../../parity/code-rules.ts";
import { configHits } from "../../parity/config-rules.ts";
import {
  type Dockerfile,
  DockerfileError,
  type ImageFacts,
  imageFacts,
  parseDockerfile,
} from "../../parity/dockerfile.ts";
import { type Finding, findingOf, type Hit } from "../../parity/finding.ts";
import { imageHits } from "../../parity/image-rules.ts";
import { sourcesOf } from "./sources.ts";

/** What was looked at, and what was found. */
export interface StaticResult {
  readonly findings: readonly Finding[];
  /** Files that were read, for the summary. */
  readonly files: number;
  readonly dockerfile: boolean;
  /** What the files say, for the comments in them that accept what requests show. */
  readonly texts: readonly string[];
}

const dockerfileName = "Dockerfile";

/** Looks at all files. Throws UserError DOCKERFILE_INVALID for a Dockerfile that is none. */
export async function checkFiles(loaded: LoadedConfig): Promise<StaticResult> {
  const { config, folder, file } = loaded;
  const image = await readDockerfile(folder);
  const facts = image && imageFacts(image.parsed);
  const env = { ...facts?.env, ...config.env };
  const context = {
    port: config.port,
    commands: `${argvOf(config.command).join(" ")}\n${commandOf(facts)}`,
    streams: env.AWS_LWA_INVOKE_MODE?.toLowerCase() === "response_stream",
  };
  const sources = await sourcesOf(folder, config.watch.ignore);
  const code = codeHits(sources, context);
  const text = await readFile(file, "utf8");
  const configured = configHits({
    text,
    env,
    frontDoor: config.frontDoor,
    startSeconds: config.readiness.timeoutSeconds,
    requests: config.load.requests,
  });
  const findings = [
    ...accepted(relative(folder, file), text, configured),
    ...(image ? accepted(dockerfileName, image.text, imageHits(image.parsed, wishes(loaded))) : []),
    ...sources.flatMap((source) => {
      const hits = code.filter(({ path }) => path === source.path);
      return accepted(source.path, source.text, hits);
    }),
  ];
  const texts = sources.map((source) => source.text);
  return { findings, files: sources.length, dockerfile: image !== null, texts };
}

function wishes({ config }: LoadedConfig): Parameters<typeof imageHits>[1] {
  return { port: config.port, architecture: config.lambda.architecture };
}

function accepted(path: string, text: string, hits: readonly Hit[]): readonly Finding[] {
  return withoutAccepted(text, hits).map((hit) => findingOf(path, hit));
}

function commandOf(facts: ImageFacts | null): string {
  return [facts?.entrypoint?.text, facts?.cmd?.words?.join(" ") ?? facts?.cmd?.text].join(" ");
}

async function readDockerfile(
  folder: string,
): Promise<{ readonly text: string; readonly parsed: Dockerfile } | null> {
  const path = join(folder, dockerfileName);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return null;
    const hint = "It must be a text file that you may read.";
    throw new UserError("DOCKERFILE_INVALID", `${path}: ${message}`, hint);
  }
  try {
    return { text, parsed: parseDockerfile(text) };
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error;
    const hint = "docker build would refuse it too; see docs.docker.com/reference/dockerfile.";
    throw new UserError("DOCKERFILE_INVALID", `${path}:${error.line}: ${error.message}`, hint);
  }
}
