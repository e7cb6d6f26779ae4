/** Whether a request to a tier would be answered, for controllers that probe over HTTPS. */
import { balancerOf, healthyBehind } from "./elb.ts";
import type { World } from "./world.ts";

/** What is probed: an address to connect to, and the URL that is asked for. */
export interface Probed {
  readonly address: string;
  readonly url: URL;
}

/** A probe that the world answers. It takes a little time, as a real one does. */
export function probeOf(world: World): (target: Probed) => Promise<boolean> {
  return async ({ address }) => {
    world.advance(world.application.latencyMs);
    const { probeOk } = world.application;
    if (!address.includes(".elb.")) return probeOk.lambda;
    const balancer = balancerOf(world, address);
    return probeOk.fargate && balancer !== null && healthyBehind(world, balancer) > 0;
  };
}
