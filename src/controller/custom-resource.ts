/** The protocol between CloudFormation and a resource of one's own. */
import type { GuardProgress } from "./guard.ts";

/** What the base stack tells its guard. */
export interface GuardProperties {
  readonly BurstStack: string;
  readonly BurstRoleArn: string;
  /** Empty without a domain, as are the next three. */
  readonly Domain: string;
  readonly HostedZoneId: string;
  readonly ApiTarget: string;
  readonly ApiTargetZone: string;
}

/** What CloudFormation sends. */
export interface CustomResourceEvent {
  readonly RequestType: "Create" | "Update" | "Delete";
  readonly ResponseURL: string;
  readonly StackId: string;
  readonly RequestId: string;
  readonly LogicalResourceId: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: GuardProperties;
  readonly OldResourceProperties?: Partial<GuardProperties>;
  /** Ours: where the run before this one stopped. */
  readonly progress?: GuardProgress;
}

/** Whether CloudFormation calls, and not an alarm. */
export function isCustomResource(event: unknown): event is CustomResourceEvent {
  return typeof event === "object" && event !== null && "ResponseURL" in event;
}

/** How an answer is sent: `fetch`, or what a test puts in its place. */
export type SendAnswer = (
  url: string,
  init: { readonly method: "PUT"; readonly body: Uint8Array<ArrayBuffer> },
) => Promise<{ readonly status: number }>;

/** CloudFormation shows so much of a reason. */
const reasonMax = 1000;

/** Waits between attempts to answer: the guard keeps the time in reserve. */
const answerWaitsMs = [1_000, 2_000, 4_000, 8_000] as const;

/**
 * Answers CloudFormation; without an answer it would wait for an hour. `failure` is the reason, or
 * `null`. The same answer may come twice. Throws if it cannot be delivered after all.
 */
export async function answer(
  event: CustomResourceEvent,
  failure: string | null,
  send: SendAnswer,
  sleep: (ms: number) => Promise<void>,
): Promise<void> {
  const body = JSON.stringify({
    Status: failure === null ? "SUCCESS" : "FAILED",
    ...(failure !== null && { Reason: failure.slice(0, reasonMax) }),
    // Always the same: another id would make CloudFormation delete the one before.
    PhysicalResourceId:
      event.PhysicalResourceId ?? `guard-of-${event.ResourceProperties.BurstStack}`,
    StackId: event.StackId,
    RequestId: event.RequestId,
    LogicalResourceId: event.LogicalResourceId,
  });
  // The address is signed for a request without a content type, which bytes have none of.
  const bytes = new TextEncoder().encode(body);
  const url = event.ResponseURL;
  let problem = "";
  for (const waitMs of [...answerWaitsMs, null]) {
    problem = await send(url, { method: "PUT", body: bytes }).then(
      ({ status }) => (status >= 200 && status < 300 ? "" : `said ${status}`),
      (error: unknown) => `did not answer: ${error instanceof Error ? error.message : error}`,
    );
    if (problem === "") return;
    if (waitMs !== null) await sleep(waitMs);
  }
  throw new Error(`CloudFormation's address ${problem}`);
}
