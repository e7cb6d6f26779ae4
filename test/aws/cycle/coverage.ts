/** Which calls failed in which ways, over many stories. */
import type { StoryResult } from "./story.ts";

/** A table: a line for each call, a column for each kind of fault. */
export function coverageTable(results: readonly Pick<StoryResult, "faults">[]): string {
  const counts = new Map<string, Map<string, number>>();
  const kinds = new Set<string>();
  for (const { faults } of results) {
    for (const [key, count] of faults) {
      const [action = "", kind = ""] = key.split(" ");
      kinds.add(kind);
      const own = counts.get(action) ?? new Map<string, number>();
      own.set(kind, (own.get(kind) ?? 0) + count);
      counts.set(action, own);
    }
  }
  const columns = [...kinds].sort();
  const head = ["call".padEnd(26), ...columns.map((kind) => kind.padStart(14))].join("");
  const lines = [...counts.keys()].sort().map((action) => {
    const cells = columns.map((kind) => String(counts.get(action)?.get(kind) ?? "-").padStart(14));
    return [action.padEnd(26), ...cells].join("");
  });
  return [head, ...lines].join("\n");
}
