/**
 * The report of a simulation: the page of a run, with each choice as a run of its own. One HTML
 * file that carries everything in it, so that it can be mailed, stored with a build and opened from
 * a disk.
 */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { UserError } from "../config/errors.ts";
import { type RunRecord, recordLine, type Snapshot, type TierReading } from "../core/record.ts";
import type { Phase, Tier, TierState } from "../core/types.ts";
import { type Choice, type Report, reportPage } from "../dashboard/document.ts";
import { kindCode, minuteKinds } from "../sim/report-optimum.ts";
import { reportUnwritable } from "./report-file.ts";
import type { Course, Transition } from "./simulate-policies.ts";
import { assumptionsOf, type TableInput } from "./simulate-table.ts";

/** More points than pixels say nothing more and make the page slow. */
const pointsMax = 1200;
/** Changes of tiers that are told for one choice. */
const transitionsMax = 1000;
const minuteMs = 60_000;

/** Writes the page. Throws UserError REPORT_UNWRITABLE. */
export async function writeReport(path: string, input: TableInput): Promise<void> {
  const title = `${serviceOf(input)}: what it would have cost`;
  const { html } = reportPage(title, reportOf(input));
  await writeFile(path, html).catch((error: NodeJS.ErrnoException) => {
    throw reportUnwritable(path, error.code);
  });
}

/** What is shown to others has the name of the trace, not the folders of this machine. */
function serviceOf({ loaded }: TableInput): string {
  return basename(loaded.trace.source);
}

/** Writes one choice as a recording. Throws UserError RECORD_UNWRITABLE. */
export async function writeRecording(
  path: string,
  input: TableInput,
  policy: string,
): Promise<void> {
  const choice = choicesOf(input).find(({ name }) => name === policy);
  assert.ok(choice, `the course of ${policy} was kept`);
  const [head, ...rest] = choice.records;
  assert.ok(head);
  // A recording tells what happened in its order; what is told together keeps its own.
  const ordered = [head, ...rest.toSorted((a, b) => timeOf(a) - timeOf(b))];
  const atMs = timeOf(ordered.at(-1) ?? head);
  const message = `The simulation is over: ${choice.usd.toFixed(2)} USD.`;
  const lines = [...ordered, { type: "end", atMs, ok: true, message } as const];
  await writeFile(path, lines.map(recordLine).join("")).catch((error: NodeJS.ErrnoException) => {
    const hint = "Name a file in a folder that exists and that you may write to.";
    throw new UserError("RECORD_UNWRITABLE", `cannot write ${path}: ${error.code}`, hint);
  });
}

function timeOf(record: RunRecord): number {
  if (record.type === "snapshot") return record.snapshot.atMs;
  if (record.type === "event") return record.event.atMs;
  return record.type === "window" ? record.sample.startMs : record.atMs;
}

/** A simulation as the page shows it: every choice as a run. */
export function reportOf(input: TableInput): Report {
  const { loaded, settings } = input;
  const minutesPerPoint = minutesPerPointOf(input);
  const breakEven = settings.economics.breakEvenRps;
  const grain = minutesPerPoint === 1 ? "a minute" : `the mean of ${minutesPerPoint} minutes`;
  return {
    lines: Number.isFinite(breakEven) ? [{ at: breakEven, text: "break-even" }] : [],
    assumptions: [`${loaded.kind}; each point is ${grain}`, ...assumptionsOf(input)],
    choices: choicesOf(input),
  };
}

function minutesPerPointOf({ loaded }: TableInput): number {
  return Math.max(1, Math.ceil(loaded.trace.rps.length / pointsMax));
}

/** Every choice as a run, in at most `pointsMax` points each. */
function choicesOf(input: TableInput): readonly Choice[] {
  const { loaded, simulation } = input;
  const { rps } = loaded.trace;
  const minutesPerPoint = minutesPerPointOf(input);
  const points = Array.from({ length: Math.ceil(rps.length / minutesPerPoint) }, (_, at) => {
    const from = at * minutesPerPoint;
    return { from, to: Math.min(rps.length, from + minutesPerPoint) };
  });
  return simulation.courses.map((course): Choice => {
    const usd = course.paidUsd.at(-1) ?? 0;
    return {
      name: course.name,
      usd,
      ratio: simulation.optimum > 0 ? usd / simulation.optimum : null,
      transitions: course.transitions.length,
      records: recordsOf(course, points, input),
    };
  });
}

/** The minutes that one point stands for, the last one excluded. */
interface Point {
  readonly from: number;
  readonly to: number;
}

function recordsOf(
  course: Course,
  points: readonly Point[],
  input: TableInput,
): readonly RunRecord[] {
  const { loaded, simulation } = input;
  const { rps, startSeconds } = loaded.trace;
  const service = serviceOf(input);
  const startMs = startSeconds * 1000;
  const paidBy = (name: string, minute: number): number =>
    simulation.courses.find((other) => other.name === name)?.paidUsd[minute] ?? 0;
  const told = course.transitions.slice(0, transitionsMax);
  const events = told.map((transition) => eventOf(transition, startMs));
  const snapshots = points.map(({ from, to }) => {
    const before = told.findLast(({ minute }) => minute <= from);
    return {
      type: "snapshot" as const,
      snapshot: snapshotOf({
        atMs: startMs + from * minuteMs,
        service,
        policy: course.name,
        kind: kindOf(course, from, to),
        before,
        ...served(course, rps, from, to),
        cost: {
          sinceMs: startMs,
          actualUsd: digits(course.paidUsd[to - 1] ?? 0),
          alwaysLambdaUsd: digits(paidBy("always Lambda", to - 1)),
          alwaysFargateUsd: digits(paidBy("always Fargate", to - 1)),
        },
      }),
    };
  });
  const head = { type: "run", version: 1, atMs: startMs, service } as const;
  return [{ ...head, command: "simulate", speed: 1 }, ...snapshots, ...events];
}

function eventOf({ minute, tier, reason }: Transition, startMs: number): RunRecord {
  const phase = tier === "fargate" ? "provisioning" : "draining";
  const atMs = startMs + minute * minuteMs;
  return { type: "event", event: { atMs, type: "decision", message: reason, phase, data: {} } };
}

type Kind = (typeof minuteKinds)[number];

/** What a point is spent on: the ways are short, and would be lost among the rest. */
function kindOf({ kinds }: Course, from: number, to: number): Kind {
  const inside = kinds.subarray(from, to);
  const way = inside.find((kind) => kind === kindCode.deploying || kind === kindCode.draining);
  return minuteKinds[way ?? inside[0] ?? 0] ?? "lambda";
}

const meanings: Readonly<Record<Kind, readonly [phase: Phase, target: Tier, state: TierState]>> = {
  lambda: ["steady", "lambda", "absent"],
  deploying: ["provisioning", "fargate", "starting"],
  fargate: ["steady", "fargate", "ready"],
  draining: ["draining", "lambda", "stopping"],
};

interface Served {
  /** Requests per second of each tier. */
  readonly lambda: number;
  readonly fargate: number;
}

function served({ fargateShare }: Course, rps: Float64Array, from: number, to: number): Served {
  let lambda = 0;
  let fargate = 0;
  for (let minute = from; minute < to; minute += 1) {
    const share = fargateShare[minute] ?? 0;
    fargate += share * (rps[minute] ?? 0);
    lambda += (1 - share) * (rps[minute] ?? 0);
  }
  return { lambda: digits(lambda / (to - from)), fargate: digits(fargate / (to - from)) };
}

interface Moment extends Served, Pick<Snapshot, "atMs" | "service" | "policy" | "cost"> {
  readonly kind: Kind;
  readonly before: Transition | undefined;
}

function snapshotOf({ kind, before, lambda, fargate, ...moment }: Moment): Snapshot {
  const [phase, target, state] = meanings[kind];
  const all = lambda + fargate;
  const weight = all > 0 ? Math.round((100 * fargate) / all) : target === "fargate" ? 100 : 0;
  return {
    ...moment,
    phase,
    target,
    targetSinceMs: 0,
    route: { lambda: 100 - weight, fargate: weight, fargateRecord: state !== "absent" },
    inSync: true,
    wait: null,
    reason: before?.reason ?? "as it was deployed",
    override: null,
    dwellUntilMs: null,
    dwellMs: { lambda: 0, fargate: 0 },
    holdUntilMs: null,
    failures: 0,
    tiers: {
      lambda: reading("ready", 100 - weight, lambda),
      fargate: reading(state, weight, fargate),
    },
    alarms: [],
    lastSwitch: null,
    loadFactor: null,
  };
}

/** What a simulation knows of a tier. */
function reading(state: TierState, weight: number, requestsPerSecond: number): TierReading {
  return {
    state,
    weight,
    digest: null,
    running: null,
    desired: null,
    requestsPerSecond,
    errorShare: null,
    latencyMsP50: null,
    latencyMsP99: null,
    failed: null,
    failure: null,
  };
}

/** Six digits are more than a plot can show. */
function digits(value: number): number {
  return Number(value.toPrecision(6));
}
