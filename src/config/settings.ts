/** From the configuration's units to those of the engine, the load and the processes. */
import type { EngineSettings } from "../core/types.ts";
import type { Config } from "./types.ts";

const secondMs = 1000;
const minuteMs = 60 * secondMs;

/** The schedule's period: what wakes the controller while nothing happens. */
const idleMs = minuteMs;

/** How the engine makes transitions. */
export function engineSettings({
  transition,
  fargate,
}: Pick<Config, "transition" | "fargate">): EngineSettings {
  return {
    ttlMs: transition.ttlSeconds * secondMs,
    stepPercents: transition.stepPercents,
    stepPercentsDown: transition.stepPercentsDown,
    bakeMs: transition.bakeSeconds * secondMs,
    healthyMs: transition.healthySeconds * secondMs,
    probesMin: transition.probes,
    tasksMin: fargate.minTasks,
    tasksMax: fargate.maxTasks,
    drainQuietMs: transition.drainQuietMinutes * minuteMs,
    drainMaxMs: transition.drainMinutesMax * minuteMs,
    dwellFargateMs: transition.dwellMinutes * minuteMs,
    dwellLambdaMs: transition.cooldownMinutes * minuteMs,
    errorMargin: transition.errorMarginPercent / 100,
    errorRequestsMin: transition.errorRequestsMin,
    deadlineMs: {
      provisioning: transition.deadlines.provisioningMinutes * minuteMs,
      shifting: transition.deadlines.shiftingMinutes * minuteMs,
      deprovisioning: transition.deadlines.deprovisioningMinutes * minuteMs,
    },
    backoffMs: transition.backoffMinutes * minuteMs,
    backoffMaxMs: transition.backoffMinutesMax * minuteMs,
    pollMs: transition.pollSeconds * secondMs,
    idleMs,
  };
}

/** A request of the load's mix with everything filled in. */
export interface MixedRequest {
  readonly method: string;
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly weight: number;
  readonly expect: readonly number[];
  readonly echo: boolean;
}

/** The mix that a rehearsal sends; without `load.requests` it is GET of the readiness path. */
export function loadMix({ load, readiness }: Config): readonly MixedRequest[] {
  if (load.requests.length === 0) {
    const { path } = readiness;
    const rest = { headers: {}, weight: 1, expect: [200], echo: false };
    return [{ method: "GET", path, ...rest }];
  }
  return load.requests.map(({ body, headers: given, ...request }) => {
    const lower = Object.entries(given).map(([name, value]) => [name.toLowerCase(), value]);
    const headers: Record<string, string> = Object.fromEntries(lower);
    if (body === null) return { ...request, headers };
    headers["content-type"] ??= "application/json";
    return { ...request, headers, body: typeof body === "string" ? body : JSON.stringify(body) };
  });
}

/** A line that the shell can replace itself with: no assignment first, and not `exec` already. */
const plainLine = /^\s*(?!exec\s)[^\s=]+(\s|$)/;
const operators = /[;&|<>()`\n{}]/;
/** `${PORT:-8080}`: a variable, not a group of commands. */
const variables = /\$\{\w+(:?[-+?=][^{}()`$]*)?\}/g;

/**
 * Program and arguments of a command. A text goes to the shell, with `exec` where it is one plain
 * command, so that SIGTERM reaches the service and not a shell that waits for it.
 */
export function argvOf(command: string | readonly string[]): readonly string[] {
  if (typeof command !== "string") return command;
  const plain = plainLine.test(command) && !operators.test(command.replaceAll(variables, ""));
  return ["/bin/sh", "-c", plain ? `exec ${command.trim()}` : command];
}

/** What is needed to start the service, without the digest of its files. */
export interface ServiceFields {
  readonly name: string;
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly readiness: { readonly path: string; readonly timeoutMs: number };
}

/** What the bootstrap is told about strict mode; nothing on a tier that is left as it is. */
export function envelopeVariables({ fargate, lambda }: Config): Readonly<Record<string, string>> {
  if (fargate.envelope === "native") return {};
  return {
    LAMBDAFLEX_ENVELOPE: fargate.envelope,
    LAMBDAFLEX_TIMEOUT_SECONDS: String(lambda.timeoutSeconds),
  };
}

/** How the service of a configuration in `folder` is started. */
export function serviceFields(config: Config, folder: string): ServiceFields {
  return {
    name: config.name,
    command: argvOf(config.command),
    cwd: folder,
    env: { ...config.env, ...envelopeVariables(config) },
    readiness: {
      path: config.readiness.path,
      timeoutMs: config.readiness.timeoutSeconds * secondMs,
    },
  };
}
