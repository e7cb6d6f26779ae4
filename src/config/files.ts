/** The names that a configuration may have, in a file that loads nothing else. */

/** The files that are looked for in a folder; exactly one of them may exist. */
export const configFiles: readonly string[] = [
  "lambdaflex.json",
  "lambdaflex.config.ts",
  "lambdaflex.config.mts",
  "lambdaflex.config.js",
  "lambdaflex.config.mjs",
];
