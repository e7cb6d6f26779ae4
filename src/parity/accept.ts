/** `lambdaflex-ignore RULE reason`: a finding that somebody has looked at and accepts. */
import type { Hit } from "./finding.ts";
import { isRule } from "./rules.ts";

const comment = /(?:\/\/|#|\/\*|--|<!--)\s*lambdaflex-ignore\b[ \t]*(.*)$/;

/**
 * The hits that nobody has accepted. A comment accepts its own line and the next one that holds
 * code; one without a rule or a reason accepts nothing and is a hit itself.
 */
export function withoutAccepted(text: string, hits: readonly Hit[]): readonly Hit[] {
  const lines = text.split("\n");
  const accepted = new Set<string>();
  const invalid: Hit[] = [];
  lines.forEach((line, at) => {
    const rest = comment.exec(line)?.[1];
    if (rest === undefined) return;
    const [rule = "", ...words] = rest.replace(/\s*(?:\*\/|-->)\s*$/, "").split(/\s+/);
    const reason = words.join(" ").trim();
    if (!isRule(rule) || reason.length < 3) {
      const why = isRule(rule) ? `${rule} is accepted without a reason` : `no rule "${rule}"`;
      invalid.push({ rule: "ignore-invalid", line: at + 1, message: why });
      return;
    }
    accepted.add(`${rule} ${at + 1}`);
    accepted.add(`${rule} ${nextCodeLine(lines, at)}`);
  });
  return [...hits.filter(({ rule, line }) => !accepted.has(`${rule} ${line}`)), ...invalid];
}

/** The number of the next line that is neither empty nor a comment alone. */
function nextCodeLine(lines: readonly string[], at: number): number {
  let next = at + 1;
  while (next < lines.length && /^\s*(?:$|#|\/\/|\/?\*)/.test(lines[next] ?? "")) next += 1;
  return next + 1;
}
