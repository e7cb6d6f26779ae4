/** The Docker engine of this machine, the images it has, and what may be wrong with both. */
import Docker from "dockerode";

/** What stands in the way of containers, by kind; the command line turns it into advice. */
export type DockerProblem =
  | "engine-missing"
  | "image-missing"
  | "image-platform"
  | "image-no-command";

/** Thrown when containers cannot be had. */
export class DockerError extends Error {
  override readonly name = "DockerError";
  readonly kind: DockerProblem;

  constructor(kind: DockerProblem, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** An image that this machine has and can run. */
export interface LocalImage {
  /** `sha256:…`: the same for both tiers. */
  readonly id: string;
  /** User that the image asks for; empty = root. */
  readonly user: string;
}

/** Connects to the engine that DOCKER_HOST or the usual socket names. Throws DockerError. */
export async function connectEngine(): Promise<Docker> {
  const docker = new Docker();
  try {
    await docker.ping();
    return docker;
  } catch (error) {
    throw new DockerError("engine-missing", `no Docker engine answers: ${reasonOf(error)}`);
  }
}

/** Looks an image up by name or id. Throws DockerError. */
export async function localImage(docker: Docker, name: string): Promise<LocalImage> {
  const inspected = await docker
    .getImage(name)
    .inspect()
    .catch((error: unknown) => {
      if (statusOf(error) !== 404) throw error;
      throw new DockerError("image-missing", `there is no image ${name} on this machine`);
    });
  const { Os, Architecture, Id, Config } = inspected;
  const engine = await docker.version();
  if (Os !== "linux" || Architecture !== engine.Arch) {
    const message = `${name} is for ${Os}/${Architecture}, this machine runs linux/${engine.Arch}`;
    throw new DockerError("image-platform", message);
  }
  if ((Config.Entrypoint ?? []).length + (Config.Cmd ?? []).length === 0) {
    throw new DockerError("image-no-command", `${name} says neither ENTRYPOINT nor CMD`);
  }
  return { id: Id, user: Config.User ?? "" };
}

/** The status of the engine's answer, 0 if there was none. */
export function statusOf(error: unknown): number {
  const { statusCode } = error as { readonly statusCode?: unknown };
  return typeof statusCode === "number" ? statusCode : 0;
}

/** A sentence of an engine's error. */
export function reasonOf(error: unknown): string {
  const { json, message, code } = error as {
    readonly json?: { readonly message?: unknown };
    readonly message?: unknown;
    readonly code?: unknown;
  };
  return String(json?.message ?? message ?? code ?? error);
}
