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
const arithmetic = ["cost", "delays", "override", "prices", "random", "route", "scaling"];

/** Every file of the core that decides something, with its proofs. */
export const scope: readonly (readonly [file: string, proofs: readonly string[]])[] = [
  ...engine.map(
    (name) => [`src/core/${name}.ts`, [`src/core/${name}.test.ts`, ...engineProofs]] as const,
  ),
  ...arithmetic.map((name) => [`src/core/${name}.ts`, [`src/core/${name}.test.ts`]] as const),
  ["src/core/alarms.ts", ["src/core/alarm-definitions.test.ts", "src/core/alarms.test.ts"]],
];
