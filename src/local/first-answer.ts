/** The first request to a service tells whether it can be used at all. */
import { ServiceFailed, startFaultKind } from "./fault.ts";
import type { Local } from "./start.ts";

/** How often a start is looked at, real. */
const pollRealMs = 20;

/**
 * A first request from zero is held until an environment is up: then the service works. Returns
 * without an answer when `signal` fires.
 * @throws ServiceFailed as soon as a start has failed, or the answer is not a good one
 */
export async function firstAnswer(local: Local, signal: AbortSignal): Promise<void> {
  let good: boolean | null = null;
  void local.probe().then((answered) => {
    good = answered;
  });
  while (good === null && !signal.aborted) {
    const { failure } = local.lambdaStats();
    if (failure !== null) throw new ServiceFailed(startFaultKind(failure), failure);
    await local.clock.sleep(pollRealMs * local.clock.speed);
  }
  if (good || signal.aborted) return;
  const fault = local.faults.faults.at(-1);
  throw new ServiceFailed(
    fault?.kind ?? "not-ready",
    fault?.reason ?? "the service became ready, but then gave no good answer",
  );
}
