/** The controller's bundle in an account: woken every minute and by alarms, ended by deaths. */
import { deploymentNames } from "../../../src/core/deployment.ts";
import { app, type BaseStack, type ConfigKeys, deployBase } from "../base-stack.ts";
import { drawnFaults, type FaultKind, type FaultPlan, quickFaults } from "../loopback/faults.ts";
import { type Loopback, startLoopback } from "../loopback/server.ts";
import { policyGuard } from "../policy/evaluate.ts";
import { probeOf } from "../world/probe.ts";
import { createWorld, type World } from "../world/world.ts";
import { type Environment, type InvocationEnd, startEnvironment } from "./environment.ts";
import { type Monitor, monitor } from "./monitor.ts";

/** What a cycle is run with. */
export interface CycleOptions {
  readonly seed: number;
  /** The file of the controller's bundle. */
  readonly bundle: string;
  readonly config?: ConfigKeys;
  /** What goes wrong; nothing by default. */
  readonly faults?: FaultPlan;
}

/** A running cycle. */
export interface Cycle {
  readonly world: World;
  readonly aws: Loopback;
  readonly base: BaseStack;
  readonly config: ConfigKeys;
  readonly monitor: Monitor;
  /** What became of each invocation, oldest first. */
  readonly ends: InvocationEnd[];
  /** Lines of the controller's log. */
  readonly log: string[];
  /** What goes wrong with the controller's calls; replace it as you like. */
  faults: FaultPlan;
  /** Lets the schedule and the alarms wake the controller until it is so, or the time is over. */
  until(done: () => boolean, minutesMax: number): Promise<boolean>;
  /** One invocation now. */
  invoke(event: unknown): Promise<InvocationEnd>;
  /** Ends the controller's process, as a deployment of its code does. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Lambda ends an invocation after this. */
const timeoutMs = 55_000;

/** Short stays, so that a whole cycle is a few hundred ticks. */
export const shortStays: ConfigKeys = {
  thresholds: { up: { requestsPerMinute: 1200 }, down: { requestsPerMinute: 120, minutes: 4 } },
  transition: {
    bakeSeconds: 20,
    dwellMinutes: 8,
    cooldownMinutes: 5,
    drainQuietMinutes: 3,
    drainMinutesMax: 20,
    backoffMinutes: 3,
    backoffMinutesMax: 10,
    pollSeconds: 10,
  },
};

/** Deploys the base stack; the controller has not run yet. */
export async function startCycle(options: CycleOptions): Promise<Cycle> {
  const world = createWorld({ seed: options.seed });
  // Nobody promises that what was accepted can be read at once.
  world.stackLagMs = () => world.random() ** 2 * 6_000;
  const config = { ...shortStays, ...options.config };
  const base = deployBase(world, config);
  const aws = await startLoopback(world);
  const isController = (key: string): boolean => key === controllerKey;
  aws.guard = policyGuard(world, base.controllerRole, isController);
  const alarms: unknown[] = [];
  world.onAlarm = (alarm) => {
    alarms.push({ source: "aws.cloudwatch", alarmArn: alarm.arn, alarmData: {} });
  };
  const state: {
    environment: Environment | null;
    variables: Readonly<Record<string, string>> | null;
    begunMs: number | null;
  } = { environment: null, variables: null, begunMs: null };
  const kill = (): void => {
    void state.environment?.kill();
    state.environment = null;
  };
  const overdue = (): boolean => state.begunMs !== null && world.nowMs - state.begunMs > timeoutMs;
  aws.faults = (target) => (overdue() ? "dies-before" : cycle.faults(target));
  aws.onDeath = kill;
  const ends: InvocationEnd[] = [];
  const log: string[] = [];
  const watch = monitor(world, aws, base);
  const invoke = async (event: unknown): Promise<InvocationEnd> => {
    const variables = controllerVariables(world);
    // A change of the function's configuration ends its environments.
    if (state.variables !== variables) kill();
    state.variables = variables;
    state.environment ??= startEnvironment({
      world,
      bundle: options.bundle,
      variables: { ...variables, ...aws.environment, AWS_ACCESS_KEY_ID: controllerKey },
      probe: probeOf(world),
      sleep: (ms) => world.advance(ms),
    });
    const { environment } = state;
    state.begunMs = world.nowMs;
    const end = await environment.invoke(event, timeoutMs);
    state.begunMs = null;
    if (environment.dead) state.environment = null;
    log.push(...environment.log.splice(0));
    ends.push(end);
    return end;
  };
  const cycle: Cycle = {
    world,
    aws,
    base,
    config,
    monitor: watch,
    ends,
    log,
    faults: options.faults ?? (() => null),
    invoke,
    async until(done, minutesMax) {
      for (let minutes = 0; minutes < minutesMax; minutes += 1) {
        if (done()) return true;
        await invoke({ source: "tick" });
        const nextMs = (Math.floor(world.nowMs / minuteMs) + 1) * minuteMs;
        while (world.nowMs < nextMs) {
          const alarm = alarms.shift();
          if (alarm !== undefined) await invoke(alarm);
          world.advance(Math.max(0, Math.min(5_000, nextMs - world.nowMs)));
        }
      }
      return done();
    },
    async restart() {
      await state.environment?.kill();
      state.environment = null;
    },
    async stop() {
      await state.environment?.kill();
      await aws.stop();
    },
  };
  return cycle;
}

function controllerVariables(world: World): Readonly<Record<string, string>> {
  const found = world.functions.get(deploymentNames(app).controllerFunction);
  if (!found) throw new Error("the controller is gone");
  return found.environment;
}

/** Access key of the controller, which the policy is applied to. */
export const controllerKey = "AKIACONTROLLER";
const minuteMs = 60_000;

/** Calls that are made a few times in a whole cycle; faults in them are what matters most. */
const rareCalls = new Set([
  "ChangeResourceRecordSets",
  "CreateStack",
  "UpdateStack",
  "DeleteStack",
  "ContinueUpdateRollback",
  "DeleteLoadBalancer",
  "DeleteService",
  "DescribeStackEvents",
  "DescribeStackResources",
  "DescribeTags",
  "DescribeLoadBalancers",
  "ListServices",
  "GetChange",
  "PutItem",
  "Publish",
]);

/** Faults that the controller survives, and now and then one that it does not. */
export function roughWeather(seed: number, probability: number): FaultPlan {
  const kinds: readonly FaultKind[] = [...quickFaults, "dies-before", "dies-after"];
  const often = drawnFaults(seed, Math.min(0.5, probability * 8), kinds);
  const seldom = drawnFaults(seed, probability, kinds);
  return (target) => (rareCalls.has(target.action) ? often : seldom)(target);
}
