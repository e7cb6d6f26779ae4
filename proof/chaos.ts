/**
 * Breaks the local cloud while requests flow, and accounts for every one of them.
 * `npm run chaos -- [--seed N] [--only NAME] [--json]`
 */
import type { Accounted } from "./chaos/account.ts";
import { type Outcome, playScenario } from "./chaos/play.ts";
import { type Scenario, scenarios } from "./chaos/scenarios.ts";
import { leave, optionsOf, whole } from "./options.ts";

const values = optionsOf({ seed: "text", only: "text", json: "flag" });
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const seed = whole("seed", values.seed, { otherwise: 1, min: 0, max: 1_000_000 });
const chosen = scenarios.filter(({ name }) => values.only === undefined || matches(name));
if (chosen.length === 0) {
  leave(`--only: there is no "${values.only}"; there are ${scenarios.map(nameOf).join(", ")}`);
}

const outcomes: Outcome[] = [];
for (const scenario of chosen) {
  say(`${scenario.name}: ${scenario.about}`);
  const outcome = await playScenario(scenario, seed, (line) => say(`  ${line}`));
  say(`  ${verdict(outcome)}, ${outcome.seconds} s`);
  outcomes.push(outcome);
}
const ok = outcomes.every((outcome) => outcome.ok);
if (values.json) process.stdout.write(`${JSON.stringify({ ok, seed, scenarios: outcomes })}\n`);
else process.stdout.write(table());
process.exitCode = ok ? 0 : 1;

/** A whole name, or the part before a dash that several have in common. */
function matches(name: string): boolean {
  return name === values.only || name.startsWith(`${values.only}-`);
}

function nameOf({ name }: Scenario): string {
  return name;
}

function verdict({ ok, skipped, error }: Outcome): string {
  if (skipped !== null) return `skipped: ${skipped}`;
  if (error !== null) return `failed: ${error}`;
  return ok ? "passed" : "failed";
}

function table(): string {
  const head = ["scenario", "requests", "killed", "frozen", "in flight", "unexplained", "result"];
  const rows = outcomes.map((outcome) => {
    const { name, requests, deaths, freezes, explained, unexplained } = outcome;
    const counts = [requests, deaths, freezes, explained.length, unexplained.length].map(String);
    return [name, ...counts, verdict(outcome)];
  });
  const widths = head.map((_, at) =>
    Math.max(...[head, ...rows].map((row) => (at < head.length - 1 ? (row[at]?.length ?? 0) : 0))),
  );
  const lines = [head, ...rows].map((row) =>
    row
      .map((cell, at) => (at === 0 || at === 6 ? cell : cell.padStart(widths[at] ?? 0)))
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell))
      .join("  "),
  );
  const listed = outcomes.flatMap(({ name, explained, unexplained }) =>
    [...explained, ...unexplained].map((failure) => `${name}: ${told(failure)}`),
  );
  const total = outcomes.reduce((sum, { requests }) => sum + requests, 0);
  const unexplained = outcomes.reduce((sum, outcome) => sum + outcome.unexplained.length, 0);
  const sum = `${total} requests, ${listed.length} failed, ${unexplained} of them unexplained`;
  return `${[...lines, "", ...listed, ...(listed.length > 0 ? [""] : []), sum].join("\n")}\n`;
}

function told(failure: Accounted): string {
  const { method, path, tier, status, error, sentMs, because, visits } = failure;
  const seen = visits.map(({ pid, answered }) => `${pid}${answered ? " answered" : ""}`).join(", ");
  const how = `${status ?? error} by ${tier ?? "nobody"}`;
  const where = because ?? `UNEXPLAINED; it was seen by ${seen || "no process"}`;
  return `${method} ${path}, sent at ${(sentMs / 1000).toFixed(3)} s: ${how}; ${where}`;
}
