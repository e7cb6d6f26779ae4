/** Findings from requests: the same ones directly and through both tiers, answers compared. */
import type { LoadedConfig } from "../../config/index.ts";
import { ask } from "../../local/ask.ts";
import type { ServiceSpec } from "../../local/service.ts";
import { startThreeWays, type ThreeWays } from "../../local/three-ways.ts";
import type { Finding } from "../../parity/finding.ts";
import type { ReplayRequest } from "../../parity/observed.ts";
import { type Outcomes, verdictOf } from "../../parity/verdict.ts";
import { type Documents, planRequests } from "./requests.ts";

/** What was sent, and what was found. */
export interface DynamicResult {
  readonly findings: readonly Finding[];
  readonly requests: number;
  readonly sources: readonly string[];
  readonly leftOut: number;
}

/** What a replay needs. */
export interface DynamicOptions {
  readonly loaded: LoadedConfig;
  readonly service: ServiceSpec;
  readonly documents: Documents;
  /** Whether methods that change something are taken from documents too. */
  readonly unsafe: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
  readonly onLog: (line: string) => void;
}

/** Starts the service in all ways, replays and compares. Nothing is left running. */
export async function checkByRequests(options: DynamicOptions): Promise<DynamicResult> {
  const { loaded, service, documents, unsafe, signal, onLog, onProgress } = options;
  const { lambda, fargate } = loaded.config;
  signal.throwIfAborted();
  const ways = await startThreeWays({
    service,
    memoryMB: lambda.memoryMB,
    vcpu: fargate.vcpu,
    timeoutMs: lambda.timeoutSeconds * 1000,
    onLog,
  });
  try {
    const plan = await planRequests(loaded.config, documents, unsafe, ways.again);
    const findings: Finding[] = [];
    for (const [index, request] of plan.requests.entries()) {
      signal.throwIfAborted();
      onProgress(`${index + 1} of ${plan.requests.length}: ${request.method} ${request.target}`);
      findings.push(...verdictOf(await outcomesOf(ways, request)));
    }
    const { sources, leftOut } = plan;
    return { findings, requests: plan.requests.length, sources, leftOut };
  } finally {
    await ways.stop();
  }
}

/** One way after the other, so that a machine with few cores does not make answers differ. */
async function outcomesOf(ways: ThreeWays, request: ReplayRequest): Promise<Outcomes> {
  return {
    request,
    direct: await ask(ways.direct, request),
    again: await ask(ways.again, request),
    lambda: await ask(ways.lambda, request),
    fargate: await ask(ways.fargate, request),
  };
}
