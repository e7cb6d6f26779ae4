/** What `lambdaflex check` reports: one thing, where it is, what breaks on which tier, the fix. */
import { type RuleId, ruleOf } from "./rules.ts";

/** `error` fails a build, `warning` should be looked at, `note` is good to know. */
export type Level = "error" | "warning" | "note";

/** Where something breaks. */
export type BreaksOn = "lambda" | "fargate" | "both";

/** A place in a file, or a request that showed the difference. */
export type Place =
  | {
      readonly type: "file";
      /** Relative to the configuration's folder, with forward slashes. */
      readonly file: string;
      /** From 1 on. */
      readonly line: number;
    }
  | { readonly type: "request"; readonly request: string };

/** One finding. */
export interface Finding {
  readonly rule: RuleId;
  readonly level: Level;
  readonly tier: BreaksOn;
  /** What was found, with its facts. */
  readonly message: string;
  readonly breaks: string;
  readonly fix: string;
  readonly place: Place;
}

/** What a rule found at a place; everything else the catalogue knows. */
export interface Hit {
  readonly rule: RuleId;
  readonly line: number;
  readonly message: string;
  /** Milder or sharper than the rule usually is. */
  readonly level?: Level;
}

/** The finding that a hit in `file` makes. */
export function findingOf(file: string, hit: Hit): Finding {
  const { rule, line, message } = hit;
  return placedFinding(rule, message, { type: "file", file, line }, hit.level);
}

/** The finding of `rule` at `place`. */
export function placedFinding(
  id: RuleId,
  message: string,
  place: Place,
  level: Level = ruleOf(id).level,
): Finding {
  const { tier, breaks, fix } = ruleOf(id);
  return { rule: id, level, tier, message, breaks, fix, place };
}

/** `app.js:12`, or the request. */
export function placeText(place: Place): string {
  return place.type === "file" ? `${place.file}:${place.line}` : place.request;
}

const severity: Readonly<Record<Level, number>> = { error: 0, warning: 1, note: 2 };

/** The worst first, then by place. */
export function sortFindings(findings: readonly Finding[]): readonly Finding[] {
  return findings.toSorted((a, b) => {
    if (a.level !== b.level) return severity[a.level] - severity[b.level];
    const [one, other] = [a.place, b.place];
    if (one.type !== "file" || other.type !== "file") return one.type < other.type ? -1 : 1;
    if (one.file !== other.file) return one.file < other.file ? -1 : 1;
    return one.line - other.line;
  });
}

/** How many findings have `level`. */
export function countLevel(findings: readonly Finding[], level: Level): number {
  return findings.filter((finding) => finding.level === level).length;
}
