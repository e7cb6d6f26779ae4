/** A simulation for people: one table, and what each of its numbers assumes. */
import {
  columns,
  dollars,
  realisticAssumptions,
  serviceAssumptions,
  short,
  switchAssumptions,
} from "./simulate-assumptions.ts";
import type { PolicyFigures, Simulation } from "./simulate-policies.ts";
import type { Settings } from "./simulate-scenario.ts";
import type { LoadedTrace } from "./simulate-trace.ts";

/** Minutes of the month that amounts are converted to. */
const monthMinutes = 30 * 1440;

/** Everything that the table is made of. */
export interface TableInput {
  readonly loaded: LoadedTrace;
  readonly settings: Settings;
  readonly simulation: Simulation;
  /** Where memory, tasks and thresholds came from, if not from the defaults. */
  readonly origins: readonly string[];
}

/** What every number of a simulation assumes. */
export function assumptionsOf({
  loaded,
  settings,
  simulation,
  origins,
}: TableInput): readonly string[] {
  const names = simulation.policies.map(({ name }) => name);
  const { up, down } = settings.thresholds;
  const threshold =
    `threshold: up at ${short(up.requestsPerMinute)} requests/min or ` +
    `${up.concurrency < 1e9 ? short(up.concurrency) : "any number"} at once in ` +
    `${up.periods} of ${up.of} minutes, down below ` +
    `${short(down.requestsPerMinute)} for ${down.minutes} minutes`;
  return [
    ...(origins.length === 0 ? ["parameters: the defaults"] : origins),
    ...serviceAssumptions(settings),
    ...switchAssumptions(settings),
    ...(simulation.realistic === null ? [] : realisticAssumptions(settings)),
    ...(names.includes("threshold") ? [threshold] : []),
    ...loaded.notes.map((note) => `trace: ${note}`),
  ];
}

/** The whole text for standard output. */
export function simulationText(input: TableInput): string {
  const { loaded, simulation } = input;
  const { rps } = loaded.trace;
  const toMonth = monthMinutes / rps.length;
  const { optimum, onsetBlindOptimum, alwaysLambda, alwaysFargate, policies } = simulation;
  const ratio = (usd: number, to: number): string => (to > 0 ? (usd / to).toFixed(3) : "–");
  const row = (
    name: string,
    usd: number,
    figures: PolicyFigures | null,
    share: string,
  ): string[] => [
    name,
    dollars(usd),
    dollars(usd * toMonth),
    ratio(usd, optimum),
    ratio(usd, onsetBlindOptimum),
    figures === null ? "–" : String(figures.transitions),
    share,
  ];
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  const { realistic } = simulation;
  const statics = realistic ?? { alwaysLambda, alwaysFargate };
  const ideal = realistic === null ? "" : ", ideal";
  const table = columns([
    ["choice", "USD", "USD/30 d", "/ optimum", "/ onset-blind", "transitions", "on Fargate"],
    row(`optimum${ideal}`, optimum, null, "–"),
    row(`onset-blind optimum${ideal}`, onsetBlindOptimum, null, "–"),
    ...(realistic === null
      ? []
      : [
          row("always Lambda, ideal", alwaysLambda, null, percent(0)),
          row("always Fargate, ideal", alwaysFargate, null, percent(1)),
        ]),
    ...policies.map((one) => row(one.name, one.costUsd, one, percent(one.fractionFargate))),
    row("always Lambda", statics.alwaysLambda, null, percent(0)),
    row("always Fargate", statics.alwaysFargate, null, percent(1)),
  ]);
  return [
    ...trafficLines(loaded),
    "",
    table,
    ...levelLines(policies),
    "",
    "USD        over the trace; USD/30 d the same at the trace's average",
    "optimum    the cheapest plan in hindsight; onset-blind: sees a rise only when everyone does",
    "policies   the engine itself in virtual time, starting on Lambda",
    "always …   deployed beforehand, nothing to switch",
    ...(realistic === null
      ? []
      : ["ideal      in the model in which everything takes whole minutes and scaling is perfect"]),
    "",
    "Assumed:",
    ...assumptionsOf(input).map((sentence) => `- ${sentence}`),
    "",
  ].join("\n");
}

/** How well each policy answered, in the realistic model. */
function levelLines(policies: readonly PolicyFigures[]): readonly string[] {
  const whole = (value: number): string => Math.round(value).toLocaleString("en-US");
  const ms = (value: number | null): string => (value === null ? "–" : `${short(value)} ms`);
  const rows = policies.flatMap(({ name, serviceLevel }) => {
    if (serviceLevel === null) return [];
    const { throttled, timedOut, refused, queued, coldStarts } = serviceLevel;
    const counts = [throttled, timedOut, refused, queued, coldStarts].map(whole);
    return [[name, ...counts, ms(serviceLevel.latencyMsP50), ms(serviceLevel.latencyMsP99)]];
  });
  if (rows.length === 0) return [];
  const heads = [
    "requests",
    "throttled",
    "timed out",
    "refused",
    "queued",
    "cold starts",
    "p50",
    "p99",
  ];
  return ["", columns([heads, ...rows])];
}

function trafficLines({ trace, kind }: LoadedTrace): readonly string[] {
  const { rps, startSeconds, source } = trace;
  let sum = 0;
  let peak = 0;
  for (const rate of rps) {
    sum += rate;
    if (rate > peak) peak = rate;
  }
  const days = rps.length / 1440;
  const span = days >= 2 ? `${short(days)} days` : `${short(rps.length / 60)} hours`;
  // A trace may count its seconds from its own start: 1970 is no date worth telling.
  const from = startSeconds > 86_400 * 365 ? ` from ${isoMinute(startSeconds)} UTC` : "";
  return [
    `${source}: ${kind}`,
    `${Math.round(sum * 60).toLocaleString("en-US")} requests in ${span}${from}; ` +
      `${short(sum / rps.length)} requests/s on average, ${short(peak)} in the busiest minute`,
  ];
}

/** `2024-03-01 18:30`. */
export function isoMinute(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ");
}
