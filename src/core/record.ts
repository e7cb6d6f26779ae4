/**
 * What people and programs see of a service: one snapshot of the whole, and the lines that a run is
 * recorded as. The terminal, the page, `--json` and a recording read these types and no others.
 */
import type {
  AlarmName,
  AlarmState,
  EngineEvent,
  Override,
  Phase,
  Route,
  Sample,
  Tier,
  TierState,
  Wait,
} from "./types.ts";

/** One tier at one moment. */
export interface TierReading {
  readonly state: TierState;
  /** Share of the clients that look the name up now, whole per cent. */
  readonly weight: number;
  readonly digest: string | null;
  /** Environments, or healthy tasks; `null` if nobody can tell. */
  readonly running: number | null;
  /** Tasks that should run; `null` for Lambda, which starts what it needs. */
  readonly desired: number | null;
  /** Mean of the last few minutes; `null` if nobody can tell. */
  readonly requestsPerSecond: number | null;
  /** Share of 5xx answers of the last few minutes, 0 to 1; `null` without a request. */
  readonly errorShare: number | null;
  /** Of the newest window that can tell; `null` without a request, or if nobody measures it. */
  readonly latencyMsP50: number | null;
  /** p99 of the newest closed window; `null` without a request. */
  readonly latencyMsP99: number | null;
  /** Requests that failed since the run began; `null` if nobody counts them. */
  readonly failed: number | null;
  /** The failing resource's own reason. */
  readonly failure: string | null;
}

/** An alarm with what it compares. */
export interface AlarmReading {
  readonly name: AlarmName;
  readonly state: AlarmState;
  /** What the alarm means. */
  readonly sentence: string;
  readonly threshold: number;
  /** Whether it breaches at or above the threshold, or below it. */
  readonly breachesWhen: "at-least" | "below";
  /** The newest datapoint; `null` if none was reported. */
  readonly value: number | null;
  /** How many of the newest `periods` datapoints breach. */
  readonly breaching: number;
  /** M: so many must breach … */
  readonly periodsToAlarm: number;
  /** N: … of so many. */
  readonly periods: number;
}

/** A bill so far, and what the same requests would have cost without changing tiers. */
export interface CostReading {
  readonly sinceMs: number;
  readonly actualUsd: number;
  readonly alwaysLambdaUsd: number;
  readonly alwaysFargateUsd: number;
}

/** The last change of the target, and what it has cost or saved since. */
export interface SwitchReading {
  readonly atMs: number;
  readonly to: Tier;
  /** With its numbers; `null` if it is not remembered. */
  readonly reason: string | null;
  /** The bill since then and that of having stayed; `null` if not all of it was seen. */
  readonly actualUsd: number | null;
  readonly stayedUsd: number | null;
}

/** Everything worth showing of a service at one moment. Times are those of the cloud's clock. */
export interface Snapshot {
  readonly atMs: number;
  readonly service: string;
  readonly phase: Phase;
  /** The tier that the engine makes for; `route` tells where the traffic goes. */
  readonly target: Tier;
  readonly targetSinceMs: number;
  readonly route: Route;
  /** Whether all DNS servers answer with `route`. */
  readonly inSync: boolean;
  /** `leftMs` counts from `atMs`. */
  readonly wait: Wait | null;
  /** What the policy says now, with its numbers. */
  readonly reason: string;
  readonly policy: string;
  readonly override: Override | null;
  /** Until when the target keeps its minimum stay; `null` if that has passed. */
  readonly dwellUntilMs: number | null;
  /** The minimum stay on each tier. */
  readonly dwellMs: Readonly<Record<Tier, number>>;
  /** No burst before this time: the back-off after a failure. */
  readonly holdUntilMs: number | null;
  readonly failures: number;
  readonly tiers: Readonly<Record<Tier, TierReading>>;
  readonly alarms: readonly AlarmReading[];
  readonly lastSwitch: SwitchReading | null;
  readonly cost: CostReading | null;
  /** The load of a rehearsal, relative to its trace; `null` where nobody makes load. */
  readonly loadFactor: number | null;
}

/** The first line of a recording: what was run. */
export interface RunHead {
  readonly type: "run";
  readonly version: 1;
  readonly atMs: number;
  readonly service: string;
  /** What was started: `dev`, `rehearse`, … */
  readonly command: string;
  /** Virtual seconds per real second. */
  readonly speed: number;
  /** What a rehearsal sends, so that it can be replayed by itself; absent where nobody sends. */
  readonly requests?: readonly RecordedRequest[];
}

/** A request of a rehearsal's mix; `{n}` and `{token}` in it are filled when it is sent. */
export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  /** Without those that prove who somebody is. */
  readonly headers: Readonly<Record<string, string>>;
  /** Text, or JSON; `null` for none. */
  readonly body: unknown;
}

/** A line of a recording or of a history: NDJSON, oldest first. */
export type RunRecord =
  | RunHead
  | { readonly type: "snapshot"; readonly snapshot: Snapshot }
  | { readonly type: "window"; readonly sample: Sample }
  | { readonly type: "event"; readonly event: EngineEvent }
  | {
      readonly type: "alarm";
      readonly atMs: number;
      readonly name: AlarmName;
      readonly state: AlarmState;
    }
  /** The last line of a run that came to its end; one that was killed has none. */
  | {
      readonly type: "end";
      readonly atMs: number;
      /** Whether it went well. */
      readonly ok: boolean;
      readonly message: string;
    };

/** What a person may ask of a running system. */
export type Control =
  /** Goes to the tier and stays for the minimum dwell; then the policy decides again. */
  | { readonly type: "shift"; readonly tier: Tier }
  /** Goes to the tier and stays until somebody says otherwise. */
  | { readonly type: "pin"; readonly tier: Tier }
  /** Lets the policy decide again. */
  | { readonly type: "auto" }
  /** Multiplies the load of a rehearsal, 0 to 4. */
  | { readonly type: "load"; readonly factor: number };

/** A run that can be followed, whatever cloud it happens in. */
export interface RunStream {
  readonly head: RunHead;
  /** Calls `listener` with each record from now on, until the returned function is called. */
  subscribe(listener: (record: RunRecord) => void): () => void;
  /** What may be asked; empty where nobody can be asked. */
  readonly controls: readonly Control["type"][];
  /** Resolves with a sentence that says what will happen; rejects with the reason why not. */
  control(command: Control): Promise<string>;
}

/** One line of a recording, its end included. */
export function recordLine(record: RunRecord): string {
  return `${JSON.stringify(record)}\n`;
}
