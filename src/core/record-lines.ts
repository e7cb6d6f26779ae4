/** Reads the lines of a recording, which may come from anywhere: each is checked before use. */
import type { RunRecord, Snapshot } from "./record.ts";
import {
  type Check,
  isNumber,
  isPlain,
  isText,
  isTrueOrFalse,
  listOf,
  object,
  oneOf,
  orNull,
} from "./shape-check.ts";
import type { Wait } from "./types.ts";

/** Why a file is no recording that can be opened. */
export class RecordError extends Error {
  override readonly name = "RecordError";
  readonly code: "RECORD_FOREIGN" | "RECORD_VERSION" | "RECORD_LINE_INVALID" | "RECORD_TRUNCATED";
  readonly hint: string;

  constructor(code: RecordError["code"], message: string, hint: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

/** A line that is longer belongs to no recording. */
export const lineCharactersMax: number = 64 * 1024;

/** The version that this lambdaflex writes and reads. */
const versionKnown = 1;

/** Reads line `number` (from 1); the first one must be the head. @throws RecordError */
export function parseRecord(line: string, number: number): RunRecord {
  const record = Object(jsonOf(line)) as { type?: unknown; version?: unknown };
  const { type, version } = record;
  if (number === 1) checkHead(type, version);
  const known = typeof type === "string" && Object.hasOwn(checks, type);
  const check = known ? checks[type as RunRecord["type"]] : null;
  const problem = check === null ? "it is of no known kind" : check(record);
  if (problem === null) return record as RunRecord;
  const message = `line ${number} is no line of a recording: ${problem}`;
  throw new RecordError("RECORD_LINE_INVALID", message, "Was the file changed by hand?");
}

function jsonOf(line: string): unknown {
  if (line.length > lineCharactersMax) return null;
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

function checkHead(type: unknown, version: unknown): void {
  if (type !== "run" || typeof version !== "number") {
    const hint =
      "Write a recording with --record FILE, for example lambdaflex rehearse --record x.";
    throw new RecordError("RECORD_FOREIGN", "the file does not begin as a recording does", hint);
  }
  if (version !== versionKnown) {
    const message = `the recording has version ${version}, this lambdaflex reads ${versionKnown}`;
    throw new RecordError("RECORD_VERSION", message, "Open it with the lambdaflex that wrote it.");
  }
}

const tier = oneOf("lambda", "fargate");
const phase = oneOf("steady", "provisioning", "shifting", "draining", "deprovisioning");
const alarmName = oneOf("busy-requests", "busy-concurrency", "throttled", "quiet");
const alarmState = oneOf("OK", "ALARM", "INSUFFICIENT_DATA");
const maybe = orNull(isNumber);
const maybeText = orNull(isText);

/** Only the keys count; so the compiler sees when one is missing. */
const waitKinds: Readonly<Record<Wait["kind"], null>> = {
  stack: null,
  healthy: null,
  lambda: null,
  "in-sync": null,
  ttl: null,
  bake: null,
  drain: null,
  removal: null,
  hold: null,
};

const reading = object({
  state: oneOf("absent", "starting", "ready", "stopping", "failed"),
  weight: isNumber,
  digest: maybeText,
  running: maybe,
  desired: maybe,
  requestsPerSecond: maybe,
  errorShare: maybe,
  latencyMsP50: maybe,
  latencyMsP99: maybe,
  failed: maybe,
  failure: maybeText,
});

const alarm = object({
  name: alarmName,
  state: alarmState,
  sentence: isText,
  threshold: isNumber,
  breachesWhen: oneOf("at-least", "below"),
  value: maybe,
  breaching: isNumber,
  periodsToAlarm: isNumber,
  periods: isNumber,
});

const snapshotFields: Readonly<Record<keyof Snapshot, Check>> = {
  atMs: isNumber,
  service: isText,
  phase,
  target: tier,
  targetSinceMs: isNumber,
  route: object({ lambda: isNumber, fargate: isNumber, fargateRecord: isTrueOrFalse }),
  inSync: isTrueOrFalse,
  wait: orNull(object({ kind: oneOf(...Object.keys(waitKinds)), message: isText, leftMs: maybe })),
  reason: isText,
  policy: isText,
  override: orNull(object({ tier, untilMs: maybe })),
  dwellUntilMs: maybe,
  dwellMs: object({ lambda: isNumber, fargate: isNumber }),
  holdUntilMs: maybe,
  failures: isNumber,
  tiers: object({ lambda: reading, fargate: reading }),
  alarms: listOf(alarm, 16),
  lastSwitch: orNull(
    object({ atMs: isNumber, to: tier, reason: maybeText, actualUsd: maybe, stayedUsd: maybe }),
  ),
  cost: orNull(
    object({
      sinceMs: isNumber,
      actualUsd: isNumber,
      alwaysLambdaUsd: isNumber,
      alwaysFargateUsd: isNumber,
    }),
  ),
  loadFactor: maybe,
};

const requests = listOf(object({ method: isText, path: isText, headers: isPlain }), 1000);

const checks: Readonly<Record<RunRecord["type"], Check>> = {
  run: object({
    atMs: isNumber,
    service: isText,
    command: isText,
    speed: isNumber,
    requests: (value) => (value === undefined ? null : requests(value)),
  }),
  snapshot: object({ snapshot: object(snapshotFields) }),
  window: object({
    sample: object({
      tier,
      startMs: isNumber,
      periodMs: isNumber,
      requests: isNumber,
      errors: isNumber,
      throttles: isNumber,
      concurrencyMax: isNumber,
      latencyMsP99: maybe,
    }),
  }),
  event: object({
    event: object({
      atMs: isNumber,
      type: oneOf("decision", "shift", "provision", "deprovision", "failure", "notice"),
      message: isText,
      phase,
      data: isPlain,
    }),
  }),
  alarm: object({ atMs: isNumber, name: alarmName, state: alarmState }),
  end: object({ atMs: isNumber, ok: isTrueOrFalse, message: isText }),
};
