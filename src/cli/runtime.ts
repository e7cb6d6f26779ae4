/** What the service runs in on this machine: processes, or containers of its image. */
import { UserError } from "../config/errors.ts";
import type { LoadedConfig } from "../config/index.ts";
import type { Containers } from "../local/docker/containers.ts";
import { DockerError, type DockerProblem } from "../local/docker/engine.ts";
import type { ServiceSpec } from "../local/service.ts";

/** The options of commands that start the service. */
export const runtimeArgs = {
  runtime: {
    type: "string",
    default: "process",
    valueHint: "process|docker",
    description: "What the service runs in: processes, or containers of its image",
  },
  image: {
    type: "string",
    valueHint: "NAME",
    description: "With --runtime docker: an image of this machine, instead of a build",
  },
} as const;

/** What was chosen. */
export type RuntimeChoice =
  | { readonly kind: "process" }
  | { readonly kind: "docker"; readonly image: string | undefined };

/** The way in which the service runs, for as long as a command lasts. */
export interface Runtime {
  /** The service as its files are now; an image is built anew when they have changed. */
  prepared(service: ServiceSpec): Promise<ServiceSpec>;
  /** Leaves nothing behind. Throws when something is left. */
  close(): Promise<void>;
}

/** The choice in the options. Throws UserError OPTION_INVALID. */
export function runtimeChoice(given: {
  readonly runtime: string;
  readonly image?: string | undefined;
}): RuntimeChoice {
  if (given.runtime === "docker") return { kind: "docker", image: given.image };
  if (given.runtime !== "process") {
    const message = `--runtime is process or docker, not "${given.runtime}"`;
    throw new UserError("OPTION_INVALID", message, "process needs no Docker and starts quicker.");
  }
  if (given.image !== undefined) {
    const hint = "Add --runtime docker, or leave --image out.";
    throw new UserError("OPTION_INVALID", "--image needs --runtime docker", hint);
  }
  return { kind: "process" };
}

/** Processes of this machine: nothing to build, nothing to remove. */
export const processRuntime: Runtime = {
  prepared: async (service) => service,
  close: async () => undefined,
};

/** What is needed to open a runtime. */
export interface RuntimeSettings {
  readonly choice: RuntimeChoice;
  readonly loaded: LoadedConfig;
  readonly tell: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Opens the runtime. Throws UserError DOCKER_MISSING, IMAGE_… or DOCKERFILE_MISSING. */
export async function openRuntime(settings: RuntimeSettings): Promise<Runtime> {
  const { choice } = settings;
  return choice.kind === "process" ? processRuntime : openDocker(settings, choice.image);
}

async function openDocker(settings: RuntimeSettings, given: string | undefined): Promise<Runtime> {
  const { loaded, signal, tell } = settings;
  const name = given ?? (await builtImage(settings));
  const { openContainers } = await import("../local/docker/containers.ts");
  const containers: Containers = await coded(
    openContainers({ image: name, port: loaded.config.port }),
  );
  tell(`containers of ${name} (${containers.digest.slice(0, 19)}) on both tiers`);
  let filesSeen: string | null = null;
  return {
    async prepared(service) {
      let { digest } = containers;
      if (filesSeen !== null && filesSeen !== service.digest && given === undefined) {
        signal.throwIfAborted();
        digest = await coded(containers.use(await builtImage(settings)));
      }
      filesSeen = service.digest;
      return { ...service, digest, sandboxes: containers.sandboxes };
    },
    async close() {
      const left = await containers.close();
      if (left > 0) throw new Error(`${left} containers or networks could not be removed`);
    },
  };
}

/** Builds the image for this machine; what AWS gets is built for the configured processor. */
async function builtImage({ loaded, tell, signal }: RuntimeSettings): Promise<string> {
  const { buildImage, dockerEngine } = await import("./deploy/docker.ts");
  const engine = await dockerEngine(signal);
  const architecture = engine.endsWith("/arm64") ? "arm64" : "x86_64";
  const name = `lambdaflex/${loaded.config.name}:local`;
  tell(`building ${name} from the Dockerfile`);
  const onLine = (line: string): void => tell(`  ${line}`);
  return buildImage({ folder: loaded.folder, architecture, name, onLine, signal });
}

const advice: Readonly<Record<DockerProblem, (error: DockerError) => UserError>> = {
  "engine-missing": ({ message }) =>
    new UserError("DOCKER_MISSING", message, "Start Docker, or leave --runtime docker out."),
  "image-missing": ({ message }) => {
    const hint = "docker image ls names those of this machine; without --image one is built.";
    return new UserError("IMAGE_UNKNOWN", message, hint);
  },
  "image-platform": ({ message }) =>
    new UserError("IMAGE_PLATFORM", message, "Build it for this machine: docker build --platform."),
  "image-no-command": ({ message }) =>
    new UserError("IMAGE_NO_COMMAND", message, "Its Dockerfile needs ENTRYPOINT or CMD."),
};

async function coded<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof DockerError ? advice[error.kind](error) : error;
  }
}
