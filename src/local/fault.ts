/**
 * What the service itself does wrong, told apart from what its surroundings do: a rehearsal that
 * fails because of the service says so, and does not look like a failure of the platform.
 */
import type { Tier } from "../core/index.ts";
import type { FargateTierOptions } from "./fargate/tier.ts";
import { answerOf, isTimeout } from "./lambda/answer.ts";
import type { InvocationResult } from "./lambda/invocation.ts";

/** How a service fails. */
export type FaultKind =
  | "command-not-found"
  | "crashed"
  | "not-ready"
  | "timed-out"
  | "answer-invalid"
  | "answer-too-large";

/** One thing that the service did wrong. */
export interface ServiceFault {
  readonly tier: Tier;
  readonly kind: FaultKind;
  /** With the last words of the process where there are any. */
  readonly reason: string;
  /** Whether it cost an answer, or the tier; else it has been healed behind the clients' backs. */
  readonly lost: boolean;
  /** Virtual. */
  readonly atMs: number;
}

/** The service can not be rehearsed: it is at fault itself. */
export class ServiceFailed extends Error {
  override readonly name = "ServiceFailed";
  readonly kind: FaultKind;
  constructor(kind: FaultKind, reason: string) {
    super(reason);
    this.kind = kind;
  }
}

/** What the Fargate tier tells of the service. */
export type FargateListeners = Pick<
  FargateTierOptions,
  "onMalformed" | "onUnanswered" | "onCrash" | "onGivenUp"
>;

/** The newest faults. */
export interface FaultLog {
  note(fault: ServiceFault): void;
  /** Notes what the service did wrong in an invocation, if it was to blame. */
  noteInvocation(request: string, result: InvocationResult, atMs: number): void;
  /** Listeners for what the Fargate tier tells; `timeoutMs` (real) is what an answer may take. */
  ofFargate(nowMs: () => number, timeoutMs: number): FargateListeners;
  /** Oldest first. */
  readonly faults: readonly ServiceFault[];
}

const faultsKept = 50;

/** An empty log. */
export function createFaultLog(): FaultLog {
  const faults: ServiceFault[] = [];
  const note = (fault: ServiceFault): void => {
    faults.push(fault);
    if (faults.length > faultsKept) faults.shift();
  };
  return {
    faults,
    note,
    noteInvocation(request, result, atMs) {
      const fault = invocationFault(result);
      if (fault === null) return;
      const reason = `on Lambda: ${request}: ${fault.reason}`;
      note({ tier: "lambda", kind: fault.kind, reason, lost: true, atMs });
    },
    ofFargate(nowMs, timeoutMs) {
      const noteIt = (kind: FaultKind, reason: string, lost: boolean): void => {
        note({ tier: "fargate", kind, reason: `on Fargate: ${reason}`, lost, atMs: nowMs() });
      };
      return {
        onMalformed: (request, detail) => noteIt("answer-invalid", `${request}: ${detail}`, true),
        onUnanswered(request, waitedMs) {
          if (waitedMs < timeoutMs) return;
          noteIt("timed-out", `${request}: no answer in ${(waitedMs / 1000).toFixed(1)} s`, true);
        },
        onCrash: (reason) => noteIt("crashed", reason, false),
        onGivenUp: (reason) => noteIt(startFaultKind(reason), reason, true),
      };
    },
  };
}

/** Exit code of a shell, and of our bootstrap, for a program that does not exist. */
const notFound = /\b(code|status) 127\b|no such program/;

/** The readiness check of our bootstrap, or a health check, reached something that is not HTTP. */
const notHttp =
  /lambdaflex: the service is not ready after \d+ ms: \S+:\d+: (?!connect E)|health check: HPE_/;

/** Why a process that never became ready did not; words of the process itself do not count. */
export function startFaultKind(reason: string): FaultKind {
  const [ours = ""] = reason.split("; last output: ");
  if (notHttp.test(reason)) return "answer-invalid";
  if (notFound.test(ours)) return "command-not-found";
  return /\b(exited|ended|initialise)\b/.test(ours) ? "crashed" : "not-ready";
}

const kinds: Readonly<Record<string, FaultKind>> = {
  "Runtime.ExitError": "crashed",
  "Sandbox.Timedout": "timed-out",
  "Service.ConnectionRefused": "crashed",
  "Service.ConnectionReset": "answer-invalid",
  "Service.MalformedAnswer": "answer-invalid",
  "Function.ResponseSizeTooLarge": "answer-too-large",
};

/** `null` if the service was not to blame, or it is not proven. */
function invocationFault(
  result: InvocationResult,
): { readonly kind: FaultKind; readonly reason: string } | null {
  if (result.type === "response") {
    const answer = answerOf(result);
    if (answer !== null && isTimeout(answer)) {
      return { kind: "timed-out", reason: "the service did not answer in time" };
    }
    if (answer !== null) return null;
    return { kind: "answer-invalid", reason: "the answer can not be passed on as HTTP" };
  }
  const { errorType, message } = result;
  if (errorType === "Runtime.InitError") return { kind: startFaultKind(message), reason: message };
  const kind = kinds[errorType];
  return kind === undefined ? null : { kind, reason: message === "" ? errorType : message };
}

/** A way from one tier to the other that did not arrive; virtual. */
export interface UnfinishedWay {
  readonly startMs: number;
  readonly endMs: number;
}

/** What the service did wrong on a way that did not arrive, the newest of it; else `null`. */
export function causeOf(
  { faults }: Pick<FaultLog, "faults">,
  ways: readonly UnfinishedWay[],
): ServiceFault | null {
  const within = ({ atMs }: ServiceFault): boolean =>
    ways.some(({ startMs, endMs }) => atMs >= startMs && atMs <= endMs);
  return faults.findLast(within) ?? null;
}

/** Failed requests this close to a crash, in real time, are taken for its consequence. */
const causedRealMs = 10_000;

/** Decides again and again whether the service is to blame for a rehearsal that goes wrong. */
export function createJudge(
  log: FaultLog,
  speed: number,
): (nowMs: number, failed: Readonly<Record<Tier, number>>) => ServiceFault | null {
  const before: Record<Tier, number> = { lambda: 0, fargate: 0 };
  const failedAtMs: Record<Tier, number> = { lambda: -Infinity, fargate: -Infinity };
  return (nowMs, failed) => {
    for (const tier of ["lambda", "fargate"] as const) {
      if (failed[tier] > before[tier]) failedAtMs[tier] = nowMs;
      before[tier] = failed[tier];
    }
    const isCause = ({ tier, lost, atMs }: ServiceFault): boolean =>
      lost || Math.abs(failedAtMs[tier] - atMs) <= causedRealMs * speed;
    return log.faults.find(isCause) ?? null;
  };
}
