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
  /** Programs that Lambda would start beside the image's own command: /opt/extensions/NAME. */
  readonly extensions: readonly string[];
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
  return { id: Id, user: Config.User ?? "", extensions: await extensionsOf(docker, Id) };
}

const extensionsFolder = "/opt/extensions";

/** Looks into a container that is made for it and never started. */
async function extensionsOf(docker: Docker, image: string): Promise<readonly string[]> {
  const container = await docker.createContainer({ Image: image });
  try {
    const archive = await container.getArchive({ path: extensionsFolder });
    return await namesOf(archive);
  } catch (error) {
    if (statusOf(error) === 404) return [];
    throw error;
  } finally {
    await container.remove({ force: true, v: true });
  }
}

/** Bytes of a block of a tar archive; a file begins with one that names it. */
const blockBytes = 512;
/** More than that is no extension. */
const archiveBytesMax = 512 * 1024 * 1024;

/** Names of the files directly in the folder that a tar archive was made of. */
async function namesOf(archive: NodeJS.ReadableStream): Promise<readonly string[]> {
  const names: string[] = [];
  let head = Buffer.alloc(0);
  let skipBytes = 0;
  let seenBytes = 0;
  for await (const chunk of archive) {
    let bytes = chunk as Buffer;
    seenBytes += bytes.length;
    if (seenBytes > archiveBytesMax) throw new Error(`${extensionsFolder} is too large`);
    while (bytes.length > 0) {
      const skipped = Math.min(skipBytes, bytes.length);
      skipBytes -= skipped;
      bytes = bytes.subarray(skipped);
      const missing = blockBytes - head.length;
      head = Buffer.concat([head, bytes.subarray(0, missing)]);
      bytes = bytes.subarray(missing);
      if (head.length < blockBytes) break;
      const field = (from: number, to: number): string =>
        head.toString("utf8", from, to).replace(/\0.*$/s, "");
      const length = Number.parseInt(field(124, 136), 8) || 0;
      const [, name, below] = field(0, 100).split("/");
      // Type 0: a plain file. Links and folders are nothing to start.
      if (field(156, 157) === "0" && name && below === undefined) {
        names.push(`${extensionsFolder}/${name}`);
      }
      skipBytes = Math.ceil(length / blockBytes) * blockBytes;
      head = Buffer.alloc(0);
    }
  }
  return names;
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
