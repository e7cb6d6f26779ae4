/** Findings for people. */
import { styleText } from "node:util";
import { countLevel, type Finding, type Level, placeText } from "../../parity/finding.ts";

const colours = { error: "red", warning: "yellow", note: "dim" } as const;

/** The same rule with the same message at several places is told once. */
const placesShown = 3;

const onTier = { lambda: "on Lambda", fargate: "on Fargate", both: "on both tiers" } as const;

/** The report that goes to standard output. */
export function reportText(findings: readonly Finding[], colourful: boolean): string {
  const paint = (level: Level, text: string): string =>
    colourful ? styleText(colours[level], text) : text;
  const groups = Map.groupBy(findings, ({ rule, level, message, place }) =>
    place.type === "request"
      ? `${rule} ${level} ${message}`
      : `${rule} ${placeText(place)} ${message}`,
  );
  const blocks = [...groups.values()].map((group) => {
    const [first] = group as [Finding, ...Finding[]];
    const shown = group.slice(0, placesShown).map(({ place }) => placeText(place));
    const more = group.length > shown.length ? ` and ${group.length - shown.length} more` : "";
    return [
      `${paint(first.level, first.level)} ${first.rule}  ${shown.join(", ")}${more}`,
      `  ${first.message}`,
      `  ${onTier[first.tier]}: ${first.breaks}`,
      `  fix: ${first.fix}`,
      "",
    ].join("\n");
  });
  return blocks.length === 0 ? "" : `${blocks.join("\n")}\n`;
}

/** `2 errors, 1 warning, no notes`. */
export function countsText(findings: readonly Finding[]): string {
  const levels = ["error", "warning", "note"] as const;
  return levels
    .map((level) => {
      const count = countLevel(findings, level);
      return `${count === 0 ? "no" : count} ${level}${count === 1 ? "" : "s"}`;
    })
    .join(", ");
}
