/** Evaluates the alarms after each closed minute, as CloudWatch does, and wakes the controller. */
import { type AlarmDefinition, alarmsAtStart, evaluateAlarms } from "../core/alarms.ts";
import type { AlarmName, AlarmState, Sample } from "../core/types.ts";
import type { Clock } from "./clock.ts";
import type { Delays } from "./delays.ts";

/** The alarms of the local cloud. */
export interface AlarmWatch {
  readonly states: Readonly<Record<AlarmName, AlarmState>>;
  /** Start of the breach behind the newest change to ALARM, `null` before the first. */
  readonly breachSinceMs: number | null;
  stop(): void;
}

/** What the alarms look at and whom they tell. */
export interface AlarmWatchOptions {
  readonly clock: Clock;
  readonly delays: Delays;
  readonly definitions: readonly AlarmDefinition[];
  readonly samples: () => readonly Sample[];
  readonly burstExists: () => boolean;
  /** Called after each change of an alarm's state. */
  readonly onChange: (name: AlarmName, state: AlarmState) => void;
}

/** Starts evaluating. Alarms begin in INSUFFICIENT_DATA. */
export function startAlarmWatch(options: AlarmWatchOptions): AlarmWatch {
  const { clock, delays, definitions } = options;
  const periodMs = 60_000;
  let states: Readonly<Record<AlarmName, AlarmState>> = alarmsAtStart;
  let breachSinceMs: number | null = null;
  let cancel = (): void => undefined;

  const evaluate = (endMs: number): void => {
    const before = states;
    const world = { burstExists: options.burstExists() };
    states = evaluateAlarms(definitions, options.samples(), endMs, before, world);
    for (const definition of definitions) {
      const state = states[definition.name];
      if (state === before[definition.name]) continue;
      // The breach began with the first of the M minutes that the alarm needed.
      if (state === "ALARM") breachSinceMs = endMs - definition.datapointsToAlarm * periodMs;
      options.onChange(definition.name, state);
    }
    next(endMs + periodMs);
  };
  const next = (endMs: number): void => {
    const dueMs = endMs + delays.alarmMs();
    cancel = clock.after(dueMs - clock.nowMs(), () => evaluate(endMs));
  };
  next(Math.ceil(clock.nowMs() / periodMs) * periodMs);

  return {
    get states() {
      return states;
    },
    get breachSinceMs() {
      return breachSinceMs;
    },
    stop: () => cancel(),
  };
}
