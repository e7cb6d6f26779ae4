/** The benchmark for people. */
import type { Instance } from "./instances.ts";
import type { Figures, Summary } from "./summary.ts";

/** Prints one line per instance and the tables of the halves. */
export function printReport(
  instances: readonly Instance[],
  summary: Summary & { readonly adversary: readonly object[]; readonly seconds: number },
): void {
  const names = Object.keys(instances[0]?.policies ?? {});
  console.log(row(["trace", "scale", "OPT USD", "NA/OPT", ...names.map((name) => `${name}/OPT`)]));
  for (const one of instances) {
    const ratios = names.map((name) => ratio((one.policies[name]?.costUsd ?? 0) / one.opt));
    const blind = ratio(one.optNa / one.opt);
    console.log(row([one.trace, one.scale, one.opt.toFixed(3), blind, ...ratios]));
  }
  for (const half of ["all", "tuning", "reporting"] as const) {
    console.log(`\n${half} traces: mean (worst)`);
    console.log(row(["policy", "", "/OPT", "/OPT_NA", "/static", "saving", "saving mean"]));
    for (const [name, figures] of Object.entries(summary[half])) console.log(line(name, figures));
  }
  console.log("\nadaptive adversary, 14 days");
  for (const played of summary.adversary) {
    const cells = Object.entries(played).map(([key, value]) => {
      return typeof value === "number" ? `${key} ${Number(value.toPrecision(4))}` : String(value);
    });
    console.log(cells.join("  "));
  }
  console.log(`\n${instances.length} instances in ${summary.seconds.toFixed(1)} s`);
}

function line(name: string, figures: Figures): string {
  const { toOptimum, toOnsetBlind, toBestStatic } = figures;
  const spreads = [toOptimum, toOnsetBlind, toBestStatic].map(
    ({ mean, worst }) => `${ratio(mean)} (${worst.toFixed(2)})`,
  );
  const shares = [figures.savingOfTotal, figures.savingMean].map(
    (share) => `${(100 * share).toFixed(1)} %`,
  );
  return row([name, "", ...spreads, ...shares]);
}

function ratio(value: number): string {
  return value.toFixed(3);
}

function row(cells: readonly string[]): string {
  const [first = "", ...rest] = cells;
  return first.padEnd(28) + rest.map((cell) => cell.padStart(19)).join("");
}
