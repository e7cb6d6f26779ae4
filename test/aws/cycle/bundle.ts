/** The controller's bundle as the build makes it, from the sources as they are now. */
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** A built bundle. */
export interface Bundle {
  readonly file: string;
  remove(): void;
}

/** Builds it into a folder of its own. */
export async function bundleController(): Promise<Bundle> {
  const folder = await mkdtemp(join(tmpdir(), "lambdaflex-bundle-"));
  const file = join(folder, "index.mjs");
  await build({
    entryPoints: [fileURLToPath(new URL("../../../src/controller/main.ts", import.meta.url))],
    outfile: file,
    bundle: true,
    minify: true,
    platform: "node",
    format: "esm",
    target: "node22",
    mainFields: ["module", "main"],
    banner: {
      js: 'import{createRequire as cr}from"node:module";const require=cr(import.meta.url);',
    },
    logLevel: "warning",
  });
  return { file, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
