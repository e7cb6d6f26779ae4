/**
 * `lambdaflex-ignore RULE reason`: a finding that somebody has looked at and accepts. One that a
 * request has shown needs the path too: `lambdaflex-ignore differs-body /where reason`.
 */
import type { Finding, Hit } from "./finding.ts";
import { isRule, type RuleId } from "./rules.ts";

const comment = /(?:\/\/|#|\/\*|--|<!--)\s*lambdaflex-ignore\b[ \t]*(.*)$/;

interface Accepting {
  /** From 1 on. */
  readonly line: number;
  readonly rule: RuleId;
  /** Set for rules about requests. */
  readonly path: string | null;
}

/**
 * The hits that nobody has accepted. A comment accepts its own line and the next one that holds
 * code; one without a rule or a reason accepts nothing and is a hit itself.
 */
export function withoutAccepted(text: string, hits: readonly Hit[]): readonly Hit[] {
  const lines = text.split("\n");
  const { valid, invalid } = commentsIn(lines);
  const accepted = new Set<string>();
  for (const { rule, line, path } of valid) {
    if (path !== null) continue;
    accepted.add(`${rule} ${line}`);
    accepted.add(`${rule} ${nextCodeLine(lines, line - 1)}`);
  }
  return [...hits.filter(({ rule, line }) => !accepted.has(`${rule} ${line}`)), ...invalid];
}

/** The findings of requests that no comment in `texts` accepts. */
export function withoutAcceptedPaths(
  texts: readonly string[],
  findings: readonly Finding[],
): readonly Finding[] {
  const valid = texts.flatMap((text) => commentsIn(text.split("\n")).valid);
  return findings.filter(({ rule, place }) => {
    if (place.type === "file") return true;
    const path = place.request.replace(/^\S+ /, "").replace(/\?.*$/, "");
    return !valid.some((one) => one.rule === rule && one.path === path);
  });
}

function commentsIn(lines: readonly string[]): {
  readonly valid: readonly Accepting[];
  readonly invalid: readonly Hit[];
} {
  const valid: Accepting[] = [];
  const invalid: Hit[] = [];
  lines.forEach((text, at) => {
    const rest = comment.exec(text)?.[1];
    if (rest === undefined) return;
    const line = at + 1;
    const [rule = "", ...words] = rest.replace(/\s*(?:\*\/|-->)\s*$/, "").split(/\s+/);
    const refuse = (message: string): void => {
      invalid.push({ rule: "ignore-invalid", line, message });
    };
    if (!isRule(rule)) {
      refuse(`there is no rule "${rule}"`);
      return;
    }
    const path = rule.startsWith("differs-") ? (words.shift() ?? "") : null;
    if (path !== null && !path.startsWith("/")) refuse(`${rule} is accepted without a path`);
    else if (words.join(" ").length < 3) refuse(`${rule} is accepted without a reason`);
    else valid.push({ line, rule, path });
  });
  return { valid, invalid };
}

/** The number of the next line that is neither empty nor a comment alone. */
function nextCodeLine(lines: readonly string[], at: number): number {
  let next = at + 1;
  while (next < lines.length && /^\s*(?:$|#|\/\/|\/?\*)/.test(lines[next] ?? "")) next += 1;
  return next + 1;
}
