/** The tables of docs/check.md and docs/parity.md, written from the data that the checks use. */
import { differences } from "./differences.ts";
import { ruleIds, ruleOf } from "./rules.ts";

const tiers = { lambda: "Lambda", fargate: "Fargate", both: "both" } as const;

/** The table of rules. */
export function rulesTable(): string {
  const rows = ruleIds.map((id) => {
    const { title, level, tier, breaks, fix } = ruleOf(id);
    return `| \`${id}\` | ${level} | ${tiers[tier]} | ${title} | ${breaks} | ${fix} |`;
  });
  const head = "| rule | level | bites on | what | what breaks | fix |\n|---|---|---|---|---|---|";
  return [head, ...rows].join("\n");
}

/** The table of differences. */
export function differencesTable(): string {
  const rows = differences.map(({ id, what, onLambda, onFargate }) => {
    return `| ${id} | ${what} | ${onLambda} | ${onFargate} |`;
  });
  return ["| | what | on Lambda | on Fargate |\n|---|---|---|---|", ...rows].join("\n");
}

/** `text` with `table` between the markers of `name`. */
export function withTable(text: string, name: string, table: string): string {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const from = text.indexOf(begin) + begin.length;
  const to = text.indexOf(end);
  return to < from ? text : `${text.slice(0, from)}\n${table}\n${text.slice(to)}`;
}
