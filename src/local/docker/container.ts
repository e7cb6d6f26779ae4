/** One container as a sandbox: what a child process is for processes of this machine. */
import { PassThrough } from "node:stream";
import type Docker from "dockerode";
import type { Sandbox, SandboxRequest } from "../sandbox.ts";
import type { Endpoint } from "../service.ts";
import type { LocalImage } from "./engine.ts";
import { createFreezer } from "./freezer.ts";
import { removeContainer } from "./sweep.ts";

/** What all containers of a run share. */
export interface ContainerGround {
  readonly docker: Docker;
  readonly image: LocalImage;
  /** Name of the network that only these containers and this machine are on. */
  readonly network: string;
  /** Port that the service listens on inside. */
  readonly port: number;
  readonly labels: Readonly<Record<string, string>>;
}

const mebibyte = 1024 * 1024;
/** Lambda gives 512 MB of /tmp unless told otherwise; a task gets the same. */
const tmpBytes = 512 * mebibyte;
/** As Lambda's own limit for processes and threads. */
const pidsMax = 1024;
/** Somebody who is not root, for images that do not say who they want to be. */
const nobody = "1000:1000";
const loopback = "127.0.0.1";

/** Creates and starts a container of the image. Rejects when the engine refuses. */
export async function startContainer(
  ground: ContainerGround,
  request: SandboxRequest,
): Promise<Sandbox> {
  const { docker } = ground;
  const container = await docker.createContainer(optionsOf(ground, request));
  try {
    await followOutput(docker, container, request.onLine);
    // Before its start it counts as not running, which is what would be waited for otherwise.
    const ended = container.wait({ condition: "next-exit" });
    await container.start();
    if (request.tier === "lambda") await startExtensions(ground, container, request.onLine);
    const endpoint = await endpointOf(container, ground.port);
    return sandboxOf(docker, container, endpoint, ended);
  } catch (error) {
    await removeContainer(docker, container.id);
    throw error;
  }
}

/** What the tiers allow: a read-only root with a small /tmp, no privileges, memory and CPU. */
function optionsOf(
  { image, network, port, labels }: ContainerGround,
  { tier, id, service, env, limits }: SandboxRequest,
): Docker.ContainerCreateOptions {
  const inside = { ...service.env, ...env, PORT: String(port), AWS_LWA_PORT: String(port) };
  const memoryBytes = Math.ceil(limits.memoryMB) * mebibyte;
  return {
    Image: image.id,
    Env: Object.entries(inside).map(([name, value]) => `${name}=${value}`),
    User: image.user === "" || image.user === "root" || image.user === "0" ? nobody : image.user,
    Labels: { ...labels, "dev.lambdaflex.tier": tier, "dev.lambdaflex.id": id },
    ExposedPorts: { [`${port}/tcp`]: {} },
    HostConfig: {
      NetworkMode: network,
      // Only this machine reaches it, whatever the engine does with addresses by default.
      PortBindings: { [`${port}/tcp`]: [{ HostIp: loopback, HostPort: "" }] },
      ReadonlyRootfs: true,
      Tmpfs: { "/tmp": `rw,nosuid,nodev,mode=1777,size=${tmpBytes}` },
      Memory: memoryBytes,
      MemorySwap: memoryBytes,
      NanoCpus: Math.round(limits.vcpu * 1e9),
      PidsLimit: pidsMax,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
    },
  };
}

/** Attached before the start, so that the first words are not missed. */
async function followOutput(
  docker: Docker,
  container: Docker.Container,
  onLine: (line: string) => void,
): Promise<void> {
  const stream = await container.attach({ stream: true, stdout: true, stderr: true });
  forwardLines(docker, stream, onLine);
}

/** Takes an engine's stream apart into lines. */
function forwardLines(
  docker: Docker,
  stream: NodeJS.ReadWriteStream,
  onLine: (line: string) => void,
): void {
  const sides = [new PassThrough(), new PassThrough()] as const;
  docker.modem.demuxStream(stream, ...sides);
  for (const side of sides) {
    let rest = "";
    side.setEncoding("utf8");
    side.on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = (lines.pop() ?? "").slice(-8192);
      for (const line of lines) onLine(line);
    });
    side.on("end", () => {
      if (rest !== "") onLine(rest);
    });
  }
  stream.on("end", () => {
    for (const side of sides) side.end();
  });
  stream.on("error", () => undefined);
}

/**
 * Lambda itself starts what lies in /opt/extensions, beside the image's own command: so images
 * carry the AWS Lambda Web Adapter. A task never does.
 */
async function startExtensions(
  { docker, image }: ContainerGround,
  container: Docker.Container,
  onLine: (line: string) => void,
): Promise<void> {
  for (const path of image.extensions) {
    const exec = await container.exec({ Cmd: [path], AttachStdout: true, AttachStderr: true });
    forwardLines(docker, await exec.start({}), onLine);
  }
}

/** The port of loopback that leads to the container's. */
async function endpointOf(container: Docker.Container, port: number): Promise<Endpoint> {
  const { NetworkSettings } = await container.inspect();
  const bound = NetworkSettings.Ports[`${port}/tcp`]?.[0]?.HostPort;
  return { host: loopback, port: Number(bound ?? 0) };
}

function sandboxOf(
  docker: Docker,
  container: Docker.Container,
  endpoint: Endpoint,
  ended: Promise<{ readonly StatusCode: number }>,
): Sandbox {
  let running = true;
  const freezer = createFreezer({
    freeze: () => container.pause(),
    thaw: () => container.unpause(),
  });
  const exited = ended
    .then(({ StatusCode }) => StatusCode)
    // Removed by somebody else, or the engine is gone: it does not run any more.
    .catch(() => 137)
    .then(async (code) => {
      running = false;
      freezer.end();
      await removeContainer(docker, container.id).catch(() => undefined);
      return code;
    });
  const quietly = (call: Promise<unknown>): void => void call.catch(() => undefined);
  return {
    pid: -1,
    exited,
    endpoint,
    get running() {
      return running;
    },
    signal: (name) => quietly(freezer.awake().then(() => container.kill({ signal: name }))),
    async stop(graceMs) {
      await freezer.awake();
      // The engine counts whole seconds: SIGTERM, then after them SIGKILL.
      quietly(container.stop({ t: Math.ceil(graceMs / 1000) }));
      return exited;
    },
    kill: () => quietly(removeContainer(docker, container.id)),
    freeze: freezer.freeze,
    thaw: freezer.thaw,
  };
}
