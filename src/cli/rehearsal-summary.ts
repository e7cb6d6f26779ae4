/** The end of a rehearsal in words: what happened, how long each part took, what it cost. */
import type { RehearsalResult } from "../local/rehearsal.ts";
import { count, span } from "./screen.ts";

/** The summary that goes to standard output. */
export function rehearsalSummary(result: RehearsalResult): string {
  const lines = [
    "",
    verdict(result),
    "",
    `${count(result.requests)} requests, ${count(result.failed)} failed, ` +
      `${count(result.coldStarts)} cold starts, ${span(result.virtualMs)} virtual at ` +
      `${result.speed} ×`,
    "",
    "tier       requests   failed   p50       p99",
    ...tierRows(result),
    ...result.transitions.flatMap(transitionLines),
    ...result.turnedBack.flatMap(turnedBackLines),
    "",
    ...costLines(result),
    ...failureLines(result),
    "",
    result.leftRunning === 0
      ? "Nothing is left running."
      : `Left running: ${result.leftRunning} groups of processes.`,
    "",
  ];
  return lines.join("\n");
}

function verdict(result: RehearsalResult): string {
  if (result.ok) return "The cycle is complete: Lambda → Fargate → Lambda, no request lost.";
  const done = result.transitions.map(({ direction }) => direction).join(", ") || "none";
  const why: string[] = [];
  if (result.failed > 0) why.push(`${count(result.failed)} requests failed`);
  if (!result.transitions.some(({ direction }) => direction === "up")) why.push("it never went up");
  if (result.transitions.at(-1)?.direction !== "down") why.push("it did not come back");
  if (result.leftRunning > 0) why.push("something is left running");
  return `The rehearsal did not succeed: ${why.join(", ")} (completed: ${done}).`;
}

function tierRows(result: RehearsalResult): readonly string[] {
  const ms = (value: number | null): string => (value === null ? "–" : `${value.toFixed(1)} ms`);
  return (["lambda", "fargate"] as const).map((tier) => {
    const { requests, failed, p50Ms, p99Ms } = result.byTier[tier];
    return (
      `${tier.padEnd(8)}${count(requests).padStart(11)}${count(failed).padStart(9)}   ` +
      `${ms(p50Ms).padEnd(9)} ${ms(p99Ms)}`
    );
  });
}

function transitionLines(transition: RehearsalResult["transitions"][number]): readonly string[] {
  const { direction, ms, phases, waits, reason, enginePercent } = transition;
  const way = direction === "up" ? "Up, Lambda → Fargate" : "Down, Fargate → Lambda";
  const parts = (list: readonly { readonly ms: number }[], key: string): string =>
    list
      .map((part) => `${(part as unknown as Record<string, string>)[key]} ${span(part.ms)}`)
      .join(" · ");
  return [
    "",
    `${way}: ${span(ms)}`,
    `  why     ${reason}`,
    `  phases  ${parts(phases, "phase")}`,
    `  waits   ${parts(waits, "kind")}`,
    `  engine  adds ${enginePercent.toFixed(1)} % to the critical path`,
  ];
}

function turnedBackLines(turned: RehearsalResult["turnedBack"][number]): readonly string[] {
  const { direction, ms, reason, because } = turned;
  return [
    "",
    `Turned back on the way ${direction}: ${span(ms)}`,
    `  why     ${reason}`,
    `  but     ${because}`,
  ];
}

function costLines({ cost }: RehearsalResult): readonly string[] {
  const usd = (value: number): string => `${value.toFixed(4)} USD`;
  return [
    `Cost of this cycle: ${usd(cost.actual)} · always Lambda ${usd(cost.alwaysLambda)} · ` +
      `always Fargate ${usd(cost.alwaysFargate)}`,
    ...cost.assumptions.map((line) => `  assumes ${line}`),
  ];
}

function failureLines({ failures }: RehearsalResult): readonly string[] {
  if (failures.length === 0) return [];
  const rows = failures.slice(0, 20).map((failure) => {
    const { tier, method, path, status, error, count: times } = failure;
    return `  ${times} × ${tier} ${method} ${path}: ${status ?? "no answer"} ${error ?? ""}`;
  });
  return ["", "Failed requests:", ...rows];
}
