/**
 * What the answers to one request say about the tiers.
 *
 * The service is asked twice directly: what differs there changes by itself (a clock, an id, the
 * order of a set) and is left out of the comparison with the tiers.
 */
import { compareAnswers, type Diff } from "./compare.ts";
import { explain } from "./differences.ts";
import { type Finding, type Level, placedFinding } from "./finding.ts";
import { type Observed, type ReplayRequest, requestText } from "./observed.ts";
import { refusableOf } from "./refusal.ts";
import type { RuleId } from "./rules.ts";

/** All answers to one request. */
export interface Outcomes {
  readonly request: ReplayRequest;
  readonly direct: Observed;
  readonly again: Observed;
  readonly lambda: Observed;
  readonly fargate: Observed;
}

/** Headers that servers write for themselves: they differ without a difference. */
const volatileHeaders = new Set([
  "date",
  "connection",
  "keep-alive",
  "x-amzn-requestid",
  "x-amzn-trace-id",
  "apigw-requestid",
  "x-request-id",
  "x-process-time",
  "server-timing",
]);

const ruleOfPart: Readonly<Partial<Record<Diff["part"], RuleId>>> = {
  outcome: "differs-status",
  status: "differs-status",
  body: "differs-body",
};

/** The findings of one request. */
export function verdictOf(outcomes: Outcomes): readonly Finding[] {
  const { request, direct, again } = outcomes;
  const place = { type: "request" as const, request: requestText(request) };
  const own = compareAnswers("fargate", direct, again).filter(counts);
  const varies = new Set(own.map(keyOf));
  const findings: Finding[] = [];
  if (own.length > 0) {
    const parts = own.map(({ part, name }) => (name === "" ? part : name)).join(", ");
    findings.push(placedFinding("answers-vary", `asked twice, these differ: ${parts}`, place));
  }
  for (const tier of ["lambda", "fargate"] as const) {
    const diffs = compareAnswers(tier, plain(direct), plain(outcomes[tier]));
    const relevant = diffs.filter((diff) => counts(diff) && !isOwn(diff, varies));
    const { explained, unexplained } = explain(relevant, refusableOf(request, direct));
    const bodies = unexplained.some(({ part }) => part === "body");
    for (const diff of unexplained) {
      if (bodies && diff.name === "content-length") continue;
      const { rule, level } = ruleFor(diff, request);
      findings.push({ ...placedFinding(rule, messageOf(diff), place, level), tier });
    }
    const telling = explained.filter((id) => !quiet.has(id));
    if (telling.length === 0) continue;
    const message = `on ${tier}: ${telling.join(", ")} (docs/parity.md)`;
    findings.push({ ...placedFinding("differs-unavoidably", message, place), tier });
  }
  return findings;
}

/** Entries of the table that hold for nearly every answer: no news to anybody. */
const quiet = new Set([
  "connection-headers",
  "body-framing",
  "header-spelling",
  "header-order",
  "missing-date",
]);

/** An encoded path that somebody has written down breaks something, one of ours may do so. */
function ruleFor(
  { tier, part, name }: Diff,
  { target, origin }: ReplayRequest,
): { readonly rule: RuleId; readonly level?: Level } {
  if (origin.includes("encoded")) return { rule: "encoded-path" };
  const path = target.split("?")[0] ?? "";
  if (tier === "lambda" && /%(?:2f|3f|25|23|5c)/i.test(path)) {
    return { rule: "encoded-path", level: "error" };
  }
  // A length is a fact about the body, also where a HEAD has none.
  if (name === "content-length") return { rule: "differs-body" };
  return { rule: ruleOfPart[part] ?? "differs-headers" };
}

function counts({ part, name }: Diff): boolean {
  return part !== "header" || !volatileHeaders.has(name);
}

const keyOf = ({ part, name }: Diff): string => `${part} ${name}`;

function isOwn(diff: Diff, varies: ReadonlySet<string>): boolean {
  // A length that follows a body that varies says nothing either.
  const follows = varies.has("body ") && diff.part === "header" && /length|etag/.test(diff.name);
  return varies.has(keyOf(diff)) || follows;
}

/** Without trailers and interim answers, which only the table's own test looks at. */
function plain(observed: Observed): Observed {
  return observed.type === "none" ? observed : { ...observed, interim: [] };
}

function messageOf({ tier, part, name, direct, there }: Diff): string {
  const what = name === "" ? part : `header ${name}`;
  const text = (value: string | null): string =>
    value === null
      ? "nothing"
      : JSON.stringify(value.length > 120 ? `${value.slice(0, 117)}...` : value);
  return `${what} on ${tier} is ${text(there)}, directly ${text(direct)}`;
}
