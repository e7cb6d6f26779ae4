/** The controller's bundle as the build makes it, from the sources as they are now. */
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleFunction } from "../../../tools/bundle.ts";

/** A built bundle. */
export interface Bundle {
  readonly file: string;
  remove(): void;
}

/** Builds it into a folder of its own. */
export async function bundleController(): Promise<Bundle> {
  const folder = await mkdtemp(join(tmpdir(), "lambdaflex-bundle-"));
  const file = join(folder, "index.mjs");
  bundleFunction("controller/main.ts", file);
  return { file, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
