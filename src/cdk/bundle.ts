/** The controller's code: built with the package, so that a user's synth needs no bundler. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "../config/index.ts";

/** From `dist/cdk` as from `src/cdk`, the package's root is two folders up. */
const packageRoot = fileURLToPath(new URL("../..", import.meta.url));

/** The files of the bundle: the controller's handler and the guard's. */
export const bundleFiles = { controller: "index.mjs", guard: "guard.mjs" } as const;

/** The folder of the bundle. Throws UserError if a file of it is missing. */
export function controllerBundle(folder: string = join(packageRoot, "dist/controller")): string {
  for (const file of Object.values(bundleFiles)) {
    if (existsSync(join(folder, file))) continue;
    throw new UserError(
      "CONTROLLER_MISSING",
      `${join(folder, file)} does not exist`,
      "It comes with the package lambdaflex: install it again, or run npm run build in a checkout.",
    );
  }
  return folder;
}
