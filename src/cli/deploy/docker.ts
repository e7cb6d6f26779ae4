/** The docker command: builds and pushes one image. */
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../config/errors.ts";

/** What docker is asked with. */
export interface DockerCall {
  readonly args: readonly string[];
  /** Text for standard input, such as a password. */
  readonly input?: string;
  readonly onLine?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** How it ended. */
export interface DockerAnswer {
  readonly code: number;
  readonly stdout: string;
  /** The last lines of standard error. */
  readonly lines: readonly string[];
}

/** Lines of an output that are kept for the message of a failure. */
const linesMax = 20;

/** Runs docker. Throws UserError DOCKER_MISSING if the command does not exist. */
export function docker({ args, input, onLine, signal }: DockerCall): Promise<DockerAnswer> {
  return new Promise((resolve, reject) => {
    const child = spawn("docker", args, {
      stdio: ["pipe", "pipe", "pipe"],
      // Provenance makes an index of what must be one image for Lambda.
      env: { ...process.env, BUILDX_NO_DEFAULT_ATTESTATIONS: "1" },
      ...(signal !== undefined && { signal }),
    });
    let stdout = "";
    let rest = "";
    const lines: string[] = [];
    const take = (line: string): void => {
      if (line.trim() === "") return;
      lines.push(line);
      if (lines.length > linesMax) lines.shift();
      onLine?.(line);
    };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (stdout.length < 1_000_000) stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      const parts = (rest + text).split(/\r?\n|\r/);
      rest = parts.pop() ?? "";
      parts.forEach(take);
    });
    child.on("error", (error: NodeJS.ErrnoException) => {
      reject(error.code === "ENOENT" ? missing("there is no docker command") : error);
    });
    child.on("close", (code) => {
      take(rest);
      resolve({ code: code ?? 1, stdout, lines });
    });
    child.stdin.on("error", () => {});
    child.stdin.end(input ?? "");
  });
}

function missing(message: string): UserError {
  const hint =
    "Start Docker, or build elsewhere and give the image: --image REPOSITORY@sha256:DIGEST.";
  return new UserError("DOCKER_MISSING", message, hint);
}

/** System and processor of the engine, as "linux/amd64". Throws UserError DOCKER_MISSING. */
export async function dockerEngine(signal?: AbortSignal): Promise<string> {
  const args = ["version", "--format", "{{.Server.Os}}/{{.Server.Arch}}"];
  const { code, stdout, lines } = await docker({ args, ...(signal && { signal }) });
  if (code !== 0) throw missing(`no docker engine answers: ${lines.at(-1) ?? "no reason given"}`);
  return stdout.trim();
}

/** What is built. */
export interface Build {
  readonly folder: string;
  readonly architecture: "arm64" | "x86_64";
  /** Name that the image gets on this machine. */
  readonly name: string;
  readonly onLine: (line: string) => void;
  readonly signal: AbortSignal;
}

/** The name of an architecture in the world of images. */
export function platformOf(architecture: "arm64" | "x86_64"): string {
  return `linux/${architecture === "arm64" ? "arm64" : "amd64"}`;
}

/** What the classic builder does not know, or takes for something else. */
const needsBuildKit =
  /\s--(?:chmod|mount|link)\b|\$\{?(?:BUILD|TARGET)(?:PLATFORM|OS|ARCH)\b|^RUN\s+<</m;
const builderHint =
  "The Dockerfile needs BuildKit, which is missing: install buildx (Debian: docker-buildx). ";

/** Builds the image; resolves with its id. Throws UserError DOCKER… or IMAGE_BUILD_FAILED. */
export async function buildImage(build: Build): Promise<string> {
  const { folder, architecture, name, onLine, signal } = build;
  const dockerfile = await readDockerfile(folder);
  await dockerEngine(signal);
  const platform = platformOf(architecture);
  // The classic builder knows no provenance, and refuses the option.
  const buildx = (await docker({ args: ["buildx", "version"], signal })).code === 0;
  const provenance = buildx ? ["--provenance=false"] : [];
  const args = ["build", "--platform", platform, ...provenance, "--tag", name, folder];
  const built = await docker({ args, onLine, signal });
  if (built.code !== 0) {
    const why = built.lines.at(-1) ?? "no reason given";
    const foreign = /exec format error/.test(built.lines.join()) ? foreignHint(platform) : "";
    const builder = !buildx && needsBuildKit.test(dockerfile) ? builderHint : "";
    const hint = `${foreign}${builder}Run it yourself: docker ${args.join(" ")}`;
    throw new UserError("IMAGE_BUILD_FAILED", `docker build failed: ${why}`, hint);
  }
  const { stdout } = await docker({
    args: ["image", "inspect", "--format", "{{.Id}}", name],
    signal,
  });
  return stdout.trim();
}

async function readDockerfile(folder: string): Promise<string> {
  try {
    return await readFile(join(folder, "Dockerfile"), "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT") {
      const hint = "It must be a text file that you may read.";
      throw new UserError("DOCKERFILE_INVALID", `${folder}/Dockerfile: ${message}`, hint);
    }
    const hint = "lambdaflex init writes one; what it needs is in docs/bootstrap.md.";
    throw new UserError("DOCKERFILE_MISSING", `there is no Dockerfile in ${folder}`, hint);
  }
}

function foreignHint(platform: string): string {
  return `This machine cannot run ${platform}: install emulation, or set lambda.architecture. `;
}

/** A registry and how to enter it. */
export interface RegistryLogin {
  readonly registry: string;
  readonly user: string;
  readonly password: string;
}

/** Pushes `name` as `target`. Throws UserError IMAGE_PUSH_FAILED. */
export async function pushImage(
  name: string,
  target: string,
  login: RegistryLogin,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { registry, user, password } = login;
  const steps: readonly DockerCall[] = [
    { args: ["login", "--username", user, "--password-stdin", registry], input: password },
    { args: ["tag", name, target] },
    { args: ["push", "--quiet", target], onLine },
  ];
  for (const step of steps) {
    const { code, lines } = await docker({ ...step, signal });
    if (code === 0) continue;
    const message = `docker ${step.args[0]} failed: ${lines.at(-1) ?? "no reason given"}`;
    const hint = "Run the command again: what was pushed already is not pushed twice.";
    throw new UserError("IMAGE_PUSH_FAILED", message, hint);
  }
}
