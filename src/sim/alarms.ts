/**
 * The product's alarms over simulated minutes: the definitions and the rule are the core's, only
 * the datapoints are kept, because a year has half a million evaluations.
 */
import {
  type AlarmDefinition,
  alarmDefinitions,
  alarmsAtStart,
  evaluateAlarm,
  evaluationRange,
  type Thresholds,
} from "../core/alarms.ts";
import type { AlarmName, AlarmState, Sample } from "../core/types.ts";

/** The state of all alarms. */
export type AlarmStates = Readonly<Record<AlarmName, AlarmState>>;

/** Takes in one minute's samples, one per tier that reports, and tells what the alarms say then. */
export type AlarmBoard = (samples: readonly Sample[], burstExists: boolean) => AlarmStates;

interface Watch {
  readonly definition: AlarmDefinition;
  readonly range: number;
  /** Oldest first; the last `range` of them count. */
  points: (number | null)[];
  /** Minutes since a datapoint last did not breach. */
  calmAge: number;
}

/** A board at rest. It remembers the minutes that it was shown. */
export function alarmBoard(thresholds: Thresholds, concurrencyQuota?: number): AlarmBoard {
  const watches = alarmDefinitions(thresholds, concurrencyQuota).map((definition): Watch => {
    const range = evaluationRange(definition);
    const points = Array<number | null>(range).fill(null);
    return { definition, range, points, calmAge: Number.POSITIVE_INFINITY };
  });
  let states: AlarmStates = alarmsAtStart;
  return (samples, burstExists) => {
    for (const watch of watches) {
      const { definition, range } = watch;
      const point = datapointOf(definition, samples);
      if (watch.points.length >= 8 * range) watch.points = watch.points.slice(-range);
      watch.points.push(point);
      watch.calmAge = point !== null && isCalm(definition, point) ? 0 : watch.calmAge + 1;
      const before = states[definition.name];
      const absent = definition.stack === "burst" && !burstExists;
      const now = absent ? "INSUFFICIENT_DATA" : evaluated(watch, before);
      if (now !== before) states = { ...states, [definition.name]: now };
    }
    return states;
  };
}

function evaluated(watch: Watch, before: AlarmState): AlarmState {
  const { definition, points, range, calmAge } = watch;
  const { datapointsToAlarm, evaluationPeriods } = definition;
  // All of them must breach, and one of the newest does not: the rule need not see the others.
  if (datapointsToAlarm === evaluationPeriods && calmAge < evaluationPeriods) return "OK";
  return evaluateAlarm(definition, points.slice(-range), before);
}

function isCalm({ comparison, threshold }: AlarmDefinition, point: number): boolean {
  return comparison === "LessThanThreshold" ? point >= threshold : point < threshold;
}

/** A tier without requests reports nothing; where tiers are added up, that counts as none. */
function datapointOf(definition: AlarmDefinition, samples: readonly Sample[]): number | null {
  const { metrics } = definition;
  if (metrics.kind === "sum") {
    let sum = 0;
    for (const sample of samples) sum += sample.requests;
    return sum;
  }
  for (const sample of samples) {
    if (sample.tier !== metrics.of.tier) continue;
    return sample.requests > 0 ? sample[metrics.of.metric] : null;
  }
  return null;
}
