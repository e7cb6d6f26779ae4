/** The past of a service in snapshots: what its closed minutes and its history tell together. */
import type { RunRecord, Snapshot, TierReading } from "../core/record.ts";
import type { EngineEvent, Phase, Route, Sample, Tier } from "../core/types.ts";
import type { Report } from "./source.ts";

/** A removal has no event at its end; it usually takes this long. */
const removalMs = 5 * 60_000;

/** What a moment of the past was like, as far as events tell. */
interface Course {
  readonly sinceMs: number;
  readonly phase: Phase;
  readonly target: Tier;
  readonly route: Route;
}

/**
 * One snapshot for each closed minute before that of `report`, oldest first. Traffic, latency and
 * weights are as they were. A phase begins with its event and ends with the next one: nobody notes
 * when it was over, so the last step of a way counts as its end.
 */
export function pastSnapshots(
  { snapshot, windows }: Pick<Report, "snapshot" | "windows">,
  records: readonly RunRecord[],
): readonly Snapshot[] {
  const events = records.flatMap((record) => (record.type === "event" ? [record.event] : []));
  const minutes = Map.groupBy(
    windows.filter(({ startMs, periodMs }) => startMs + periodMs < snapshot.atMs),
    ({ startMs, periodMs }) => startMs + periodMs,
  );
  let course = courseBefore(snapshot, events);
  let next = 0;
  return [...minutes].map(([atMs, samples]) => {
    for (; (events[next]?.atMs ?? Number.POSITIVE_INFINITY) <= atMs; next += 1) {
      const event = events[next] as EngineEvent;
      course = { ...courseAfter(course, event), sinceMs: event.atMs };
    }
    const removed = course.phase === "deprovisioning" && atMs > course.sinceMs + removalMs;
    if (removed) course = { ...course, phase: "steady" };
    return snapshotAt(snapshot, atMs, samples, course);
  });
}

/** Nothing has happened since, but for the events: the first of them tell what was before. */
function courseBefore({ phase, target, route }: Snapshot, events: readonly EngineEvent[]): Course {
  const shift = events.find(({ type }) => type === "shift");
  const decision = events.find(({ type }) => type === "decision");
  const fargate = typeof shift?.data.from === "number" ? shift.data.from : route.fargate;
  const to = decision === undefined ? target : targetOf(decision, target);
  const other = to === "lambda" ? "fargate" : "lambda";
  return {
    sinceMs: 0,
    phase: events.length === 0 ? phase : "steady",
    target: decision === undefined ? target : other,
    route: { lambda: 100 - fargate, fargate, fargateRecord: fargate > 0 },
  };
}

function courseAfter(course: Course, event: EngineEvent): Course {
  const { lambda, fargate, fargateRecord } = event.data;
  if (event.type === "decision") return { ...course, target: targetOf(event, course.target) };
  if (event.type === "provision") return { ...course, phase: "provisioning" };
  if (event.type === "deprovision") return { ...course, phase: "deprovisioning" };
  if (event.type !== "shift" || typeof lambda !== "number" || typeof fargate !== "number") {
    return course;
  }
  const route = { lambda, fargate, fargateRecord: fargateRecord === true };
  if (fargate > 0) return { ...course, route, phase: lambda > 0 ? "shifting" : "steady" };
  // The first records of a deployment, or the same ones again.
  if (!route.fargateRecord && !course.route.fargateRecord) return course;
  return { ...course, route, phase: route.fargateRecord ? "draining" : "deprovisioning" };
}

/** A decision's message begins with the tier that it is for. */
function targetOf({ message }: EngineEvent, otherwise: Tier): Tier {
  const named = /^target (lambda|fargate)\b/.exec(message)?.[1];
  return named === undefined ? otherwise : (named as Tier);
}

function snapshotAt(
  now: Snapshot,
  atMs: number,
  samples: readonly Sample[],
  { phase, target, route }: Course,
): Snapshot {
  const reading = (tier: Tier): TierReading => {
    const sample = samples.find((one) => one.tier === tier);
    const rate = sample === undefined ? 0 : (sample.requests * 1000) / sample.periodMs;
    const exists = tier === "lambda" || route.fargateRecord || rate > 0;
    return {
      ...now.tiers[tier],
      state: exists ? "ready" : "absent",
      weight: route[tier],
      running: null,
      desired: null,
      requestsPerSecond: rate,
      errorShare: null,
      latencyMsP50: null,
      latencyMsP99: sample?.latencyMsP99 ?? null,
      failed: null,
      failure: null,
    };
  };
  const tiers = { lambda: reading("lambda"), fargate: reading("fargate") };
  return { ...now, atMs, phase, target, route, wait: null, tiers, cost: null, loadFactor: null };
}
