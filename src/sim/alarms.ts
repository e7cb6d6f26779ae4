/**
 * The product's alarms over simulated minutes: the definitions and the rule are the core's, only
 * the datapoints are kept in rings, because a year has half a million evaluations.
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

/** A board at rest. It remembers the minutes that it was shown. */
export function alarmBoard(thresholds: Thresholds, concurrencyQuota?: number): AlarmBoard {
  const watches = alarmDefinitions(thresholds, concurrencyQuota).map((definition) => ({
    definition,
    points: Array<number | null>(evaluationRange(definition)).fill(null),
  }));
  let states: AlarmStates = alarmsAtStart;
  return (samples, burstExists) => {
    const next: Record<AlarmName, AlarmState> = { ...states };
    let changed = false;
    for (const { definition, points } of watches) {
      points.shift();
      points.push(datapointOf(definition, samples));
      const absent = definition.stack === "burst" && !burstExists;
      const before = states[definition.name];
      const now = absent ? "INSUFFICIENT_DATA" : evaluateAlarm(definition, points, before);
      if (now === before) continue;
      next[definition.name] = now;
      changed = true;
    }
    if (changed) states = next;
    return states;
  };
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
