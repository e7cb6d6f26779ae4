/** What else happens to an application while it moves: drawn from a seed. */
import { between, type Random, seededRandom } from "../../../src/core/random.ts";
import { burstStack, deployImage, deploySettings, digestOf, domain } from "../base-stack.ts";
import { absolute, changeByHand } from "../world/dns.ts";
import { killTasks } from "../world/ecs.ts";
import { deleteStack } from "../world/stacks/lifecycle.ts";
import type { Cycle } from "./cycle.ts";

/** One thing that happens. */
export interface Incident {
  readonly name: string;
  /** Minutes after the clients became many. */
  readonly atMinute: number;
  /** Whether requests may be lost because of it, until DNS answers with the other tier. */
  readonly hurts: boolean;
  /** Whether it has to be there before the burst tier is made. */
  readonly early?: true;
  readonly happen: (cycle: Cycle) => void;
}

type Draw = (random: Random) => Omit<Incident, "atMinute">;

/** A resource of the burst stack that refuses. */
const failing = (
  resource: string,
  operation: "create" | "update" | "delete",
  reason: string,
  times: number,
): Omit<Incident, "atMinute"> => ({
  name: `${resource} fails to ${operation} ${times} times`,
  hurts: false,
  ...(operation === "create" && { early: true }),
  happen: ({ world }) => world.plannedFailures.push({ resource, operation, reason, times }),
});

const balancerType = "AWS::ElasticLoadBalancingV2::LoadBalancer";
const serviceType = "AWS::ECS::Service";
const groupType = "AWS::EC2::SecurityGroup";

const times = (random: Random): number => 1 + Math.floor(random() * 3);

const services = [
  "cloudformation",
  "route53",
  "dynamodb",
  "monitoring",
  "lambda",
  "elasticloadbalancing",
  "ecs",
  "sns",
];

/** A whole service that answers nothing but errors for some minutes. */
export function outage(service: string, minutes: number): Omit<Incident, "atMinute"> {
  return {
    name: `${service} is down for ${minutes} minutes`,
    hurts: false,
    happen(cycle) {
      const { faults } = cycle;
      const untilMs = cycle.world.nowMs + minutes * 60_000;
      cycle.faults = (target) => {
        const down = target.service === service && cycle.world.nowMs < untilMs;
        return down ? "fails-before" : faults(target);
      };
    },
  };
}

/** Everything that may happen. */
export const incidents: readonly Draw[] = [
  (random) =>
    failing(balancerType, "create", "You've reached the limit on balancers", times(random)),
  (random) => failing(serviceType, "create", "Service was unable to place a task", times(random)),
  (random) => failing(balancerType, "delete", "The load balancer is in use", times(random)),
  (random) => failing(serviceType, "delete", "Tasks are still running", times(random)),
  (random) => failing(groupType, "delete", "resource has a dependent object", times(random)),
  () => ({
    name: "all tasks die",
    hurts: true,
    happen: ({ world }) => {
      for (const service of world.services.values()) killTasks(world, service);
    },
  }),
  () => ({
    name: "the burst stack is deleted by hand",
    hurts: true,
    happen: ({ world }) => {
      const stack = burstStack(world);
      if (stack && /^(CREATE|UPDATE)_COMPLETE$/.test(stack.status)) {
        deleteStack(world, stack, { token: "by-hand" });
      }
    },
  }),
  () => ({
    name: "the weights are changed by hand",
    hurts: false,
    happen: ({ world, base }) =>
      changeByHand(world, base.zone, (records) =>
        records.map((record) =>
          record.SetIdentifier === "lambda" ? { ...record, Weight: 77 } : record,
        ),
      ),
  }),
  () => ({
    name: "the Fargate record is removed by hand",
    hurts: false,
    happen: ({ world, base }) =>
      changeByHand(world, base.zone, (records) =>
        records
          .filter(({ SetIdentifier }) => SetIdentifier !== "fargate")
          .map((one) => (one.Name === absolute(domain) ? { ...one, Weight: 255 } : one)),
      ),
  }),
  () => ({
    name: "another image is deployed",
    hurts: false,
    happen: (cycle) => {
      const digit = String(1 + (Math.floor(cycle.world.nowMs / 60_000) % 8));
      deployImage(cycle.world, cycle.base, cycle.config, digestOf(digit));
    },
  }),
  (random) => {
    const failures = times(random);
    return {
      name: `another image is deployed, and the service fails to update ${failures} times`,
      hurts: false,
      happen: (cycle) => {
        const { world, base, config } = cycle;
        const reason = "Service did not stabilise";
        const failure = { resource: serviceType, operation: "update", reason, times: failures };
        world.plannedFailures.push({ ...failure, operation: "update" });
        deployImage(world, base, config, digestOf("9"));
      },
    };
  },
  (random) => {
    const failures = Math.floor(random() * 3);
    return {
      name: `other settings are deployed, and fail to be taken over ${failures} times`,
      hurts: false,
      happen: ({ world, base, config }) => {
        const reason = "The health check cannot be changed";
        const resource = "AWS::ElasticLoadBalancingV2::TargetGroup";
        const failure = { resource, operation: "update", reason } as const;
        if (failures > 0) world.plannedFailures.push({ ...failure, times: failures });
        // What is deployed already would be no update.
        const intervalSeconds = 6 + (Math.floor(world.nowMs / 60_000) % 40);
        const fargate = { healthCheck: { intervalSeconds } };
        deploySettings(world, base, { ...config, fargate });
      },
    };
  },
  (random) => {
    const service = services[Math.floor(random() * services.length)] ?? "dynamodb";
    return outage(service, Math.round(between(random, 2, 12)));
  },
  (random) => ({
    name: "CloudWatch cannot read what the balancer counts for a while",
    hurts: false,
    happen: ({ world }) => {
      world.metrics.unreadable.set(
        "RequestCount",
        random() < 0.5 ? "PartialData" : "InternalError",
      );
      world.after(between(random, 60, 900) * 1000, () => world.metrics.unreadable.clear());
    },
  }),
  (random) => ({
    name: "Fargate does not answer probes for a while",
    hurts: false,
    happen: ({ world }) => {
      world.application.probeOk.fargate = false;
      world.after(between(random, 60, 900) * 1000, () => {
        world.application.probeOk.fargate = true;
      });
    },
  }),
  (random) => ({
    name: "Fargate answers with errors for a while",
    hurts: false,
    happen: ({ world }) => {
      world.application.errorShare.fargate = 0.3;
      world.after(between(random, 60, 900) * 1000, () => {
        world.application.errorShare.fargate = 0;
      });
    },
  }),
];

/** Up to three incidents of a seed, in the order of their time. */
export function drawnIncidents(seed: number): readonly Incident[] {
  const random = seededRandom(seed * 7919 + 13);
  const count = Math.floor(random() * 4);
  return Array.from({ length: count }, () => {
    const draw = incidents[Math.floor(random() * incidents.length)] as Draw;
    const incident = draw(random);
    const atMinute = Math.floor(between(random, 1, 35));
    return { ...incident, atMinute: incident.early ? 1 : atMinute };
  }).sort((a, b) => a.atMinute - b.atMinute);
}
