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

/** Takes in one minute's sample and tells what the alarms say then. */
export type AlarmBoard = (sample: Sample, burstExists: boolean) => AlarmStates;

/** A board at rest. It remembers the minutes that it was shown. */
export function alarmBoard(thresholds: Thresholds): AlarmBoard {
  const watches = alarmDefinitions(thresholds).map((definition) => ({
    definition,
    points: Array<number | null>(evaluationRange(definition)).fill(null),
  }));
  let states: AlarmStates = alarmsAtStart;
  return (sample, burstExists) => {
    const next: Record<AlarmName, AlarmState> = { ...states };
    let changed = false;
    for (const { definition, points } of watches) {
      points.shift();
      points.push(datapointOf(definition, sample));
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

/** One tier serves at a time, so a sum over tiers is this sample; no request, no datapoint. */
function datapointOf(definition: AlarmDefinition, sample: Sample): number | null {
  const { metrics } = definition;
  if (metrics.kind === "sum") return sample.requests;
  const { tier, metric } = metrics.of;
  return tier === sample.tier && sample.requests > 0 ? sample[metric] : null;
}
