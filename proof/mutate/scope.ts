/** Which files are mutated, and which proofs look at each: the most likely to fail first. */

/** Folders whose modules are loaded anew for each mutant. */
export const sources: readonly string[] = ["src/", "test/"];

const engineProofs = [
  "src/core/found-by-proof.test.ts",
  "src/core/engine.test.ts",
  "src/sim/explore/explore.test.ts",
  "src/sim/soak/soak.test.ts",
];

const engine = ["actions", "invariants", "phase", "reconcile", "status", "target", "tick"];
/** Each has its own tests, and needs no others. */
const alone = [
  "cost",
  "delays",
  "deployment",
  "outlook",
  "override",
  "prices",
  "random",
  "record-lines",
  "route",
  "scaling",
  "shape-check",
  "snapshot",
];

/** Every file of the core that does something, with its proofs. */
export const scope: readonly (readonly [file: string, proofs: readonly string[]])[] = [
  ...engine.map(
    (name) => [`src/core/${name}.ts`, [`src/core/${name}.test.ts`, ...engineProofs]] as const,
  ),
  ...alone.map((name) => [`src/core/${name}.ts`, [`src/core/${name}.test.ts`]] as const),
  ["src/core/record.ts", ["src/core/record-lines.test.ts"]],
  ["src/core/types.ts", ["src/core/types.test.ts"]],
  ["src/core/alarms.ts", ["src/core/alarm-definitions.test.ts", "src/core/alarms.test.ts"]],
];
