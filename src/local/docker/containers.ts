/**
 * Containers of one image on a network of their own: the same image on both tiers.
 *
 * They reach this machine only for the Runtime API and the state of the stack; nothing but this
 * machine reaches them. What a run has made is removed at its end, and after a crash by a program
 * that waits for it.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import type Docker from "dockerode";
import type { Sandboxes } from "../sandbox.ts";
import { type ContainerGround, startContainer } from "./container.ts";
import { connectEngine, type LocalImage, localImage } from "./engine.ts";
import { startReaper } from "./reaper.ts";
import { ownerLabel, runLabel, sweepDead, sweepRun } from "./sweep.ts";

/** What is run. */
export interface ContainersOptions {
  /** Name or id of an image on this machine. */
  readonly image: string;
  /** Port that the service listens on inside. */
  readonly port: number;
}

/** The containers of a run. */
export interface Containers {
  readonly sandboxes: Sandboxes;
  /** The image's id: `sha256:…`. */
  readonly digest: string;
  /** Containers from now on are of another image; those that run stay. Throws DockerError. */
  use(image: string): Promise<string>;
  /** Removes all of them and their network; resolves with how many are left. */
  close(): Promise<number>;
}

/** Opens a network for containers of an image. Throws DockerError. */
export async function openContainers({ image, port }: ContainersOptions): Promise<Containers> {
  const docker = await connectEngine();
  let current = await localImage(docker, image);
  await sweepDead(docker, isAlive);
  const run = randomUUID();
  const labels = { [runLabel]: run, [ownerLabel]: String(process.pid) };
  const reaper = startReaper(run);
  try {
    const { network, here } = await openNetwork(docker, run, labels);
    const ground = (): ContainerGround => ({ docker, image: current, network, port, labels });
    return {
      sandboxes: { here, start: (request) => startContainer(ground(), request) },
      digest: current.id,
      async use(next): Promise<string> {
        const found: LocalImage = await localImage(docker, next);
        current = found;
        return found.id;
      },
      async close() {
        const left = await sweepRun(docker, run);
        if (left === 0) reaper.dismiss();
        return left;
      },
    };
  } catch (error) {
    await sweepRun(docker, run);
    reaper.dismiss();
    throw error;
  }
}

/** A bridge of its own, and how its containers reach this machine. */
async function openNetwork(
  docker: Docker,
  run: string,
  labels: Readonly<Record<string, string>>,
): Promise<{ readonly network: string; readonly here: Sandboxes["here"] }> {
  const name = `lambdaflex-${run.slice(0, 8)}`;
  const network = await docker.createNetwork({
    Name: name,
    Driver: "bridge",
    Labels: { ...labels },
    Options: { "com.docker.network.bridge.host_binding_ipv4": "127.0.0.1" },
  });
  const { IPAM } = (await network.inspect()) as {
    readonly IPAM?: { readonly Config?: readonly { readonly Gateway?: string }[] };
  };
  const gateway = IPAM?.Config?.[0]?.Gateway?.replace(/\/\d+$/, "") ?? "";
  // On Linux the gateway is an address of this machine. Docker Desktop has a machine of its own,
  // and leads this name to the loopback of ours.
  const here = (await canListen(gateway))
    ? { listen: gateway, host: gateway }
    : { listen: "127.0.0.1", host: "host.docker.internal" };
  return { network: name, here };
}

async function canListen(host: string): Promise<boolean> {
  if (host === "") return false;
  const server = createServer();
  try {
    server.listen(0, host);
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
