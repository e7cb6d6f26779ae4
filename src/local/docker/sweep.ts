/** Finds and removes what a run has made in the engine: by label, so that nothing is forgotten. */
import type Docker from "dockerode";
import { statusOf } from "./engine.ts";

/** Label on every container and network of ours; its value names the run. */
export const runLabel = "dev.lambdaflex.run";

/** Label that names the process which owns the run. */
export const ownerLabel = "dev.lambdaflex.owner";

/** Removes all containers and networks of a run; resolves with how many are left. */
export async function sweepRun(docker: Docker, run: string): Promise<number> {
  const filters = { label: [`${runLabel}=${run}`] };
  const containers = await docker.listContainers({ all: true, filters });
  await Promise.all(containers.map(({ Id }) => removeContainer(docker, Id)));
  const networks = await docker.listNetworks({ filters });
  for (const { Id } of networks) {
    await docker.getNetwork(Id).remove().catch(unlessGone);
  }
  const left = await docker.listContainers({ all: true, filters });
  return left.length + (await docker.listNetworks({ filters })).length;
}

/** Removes what processes that no longer exist have left behind. */
export async function sweepDead(docker: Docker, alive: (pid: number) => boolean): Promise<void> {
  const filters = { label: [runLabel] };
  const containers = await docker.listContainers({ all: true, filters });
  const networks = await docker.listNetworks({ filters });
  const dead = new Set<string>();
  for (const { Labels } of [...containers, ...networks]) {
    const run = Labels?.[runLabel];
    if (run !== undefined && !alive(Number(Labels?.[ownerLabel]))) dead.add(run);
  }
  for (const run of dead) await sweepRun(docker, run);
}

/** Kills and removes a container; one that is gone already is as good. */
export async function removeContainer(docker: Docker, id: string): Promise<void> {
  await docker.getContainer(id).remove({ force: true, v: true }).catch(unlessGone);
}

/** 404: gone. 409: somebody else is removing it at this moment. */
function unlessGone(error: unknown): void {
  const status = statusOf(error);
  if (status !== 404 && status !== 409) throw error;
}
