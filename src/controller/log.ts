/**
 * Lines for CloudWatch Logs. A tick's line is a metric as well (embedded metric format), so that no
 * call and no permission is needed for metrics, and nothing is measured while nothing happens.
 */
import { controllerMetrics } from "../core/deployment.ts";
import type { TickResult } from "../core/index.ts";

/** Where a line goes. */
export type WriteLine = (line: string) => void;

/** Longest text in a line: errors of the SDK can quote whole answers. */
const textMax = 2_000;

/** One line of JSON. */
export function logLine(
  level: "info" | "warn" | "error",
  message: string,
  fields: Readonly<Record<string, unknown>>,
): string {
  return JSON.stringify({ level, message: message.slice(0, textMax), ...fields });
}

/** The line of a tick: what it did, and the dashboard's metrics. */
export function tickLine(app: string, result: TickResult, nowMs: number): string {
  if (!result.ok) {
    const message = `tick failed at ${result.during}: ${result.error.message}`;
    // Somebody else was faster: that is no failure, the next tick sees what they did.
    if (result.during === "conflict") return logLine("warn", message, {});
    return failureLine(app, message, nowMs);
  }
  const { step, decision, world } = result;
  const count = (type: "decision" | "failure"): number =>
    step.events.filter((event) => event.type === type).length;
  const values = {
    [controllerMetrics.fargateWeight]: world.dns.route.fargate,
    [controllerMetrics.healthyTasks]: world.fargate.tasksHealthy,
    [controllerMetrics.moving]: step.phase === "steady" ? 0 : 1,
    [controllerMetrics.decisions]: count("decision") + count("failure"),
    [controllerMetrics.failures]: count("failure"),
  };
  return logLine("info", decision.reason, {
    phase: step.phase,
    target: step.status.target,
    revision: step.status.revision,
    waits: step.wait?.message ?? null,
    actions: step.actions.map(({ type }) => type),
    lambda: world.lambda.state,
    fargate: world.fargate.state,
    ...metrics(app, values, nowMs),
  });
}

/** The line of an invocation that could not even look. */
export function failureLine(app: string, message: string, nowMs: number): string {
  return logLine("error", message, metrics(app, { [controllerMetrics.failures]: 1 }, nowMs));
}

/** Values with the directory that makes CloudWatch find them. */
function metrics(
  app: string,
  values: Readonly<Record<string, number>>,
  nowMs: number,
): Readonly<Record<string, unknown>> {
  const { namespace, dimension } = controllerMetrics;
  const named = Object.keys(values).map((name) => ({ Name: name, Unit: "None" }));
  return {
    ...values,
    [dimension]: app,
    _aws: {
      Timestamp: nowMs,
      CloudWatchMetrics: [{ Namespace: namespace, Dimensions: [[dimension]], Metrics: named }],
    },
  };
}
