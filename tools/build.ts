/**
 * Builds `dist/` from `src/`: modules with their types, the bootstrap and the functions of the
 * stacks as one file each, and what is shipped as it is. Run by `npm ci`, so it says nothing unless
 * something is wrong.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleBootstrap, bundleFunction } from "./bundle.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");

rmSync(dist, { recursive: true, force: true });
const tsc = spawnSync(
  process.execPath,
  [join(root, "node_modules/typescript/bin/tsc"), "-p", "tsconfig.build.json"],
  {
    cwd: root,
    stdio: "inherit",
  },
);
if (tsc.status !== 0) process.exit(tsc.status ?? 1);

bundleBootstrap(join(dist, "runtime/bootstrap.js"));
bundleFunction("controller/main.ts", join(dist, "controller/index.mjs"));
bundleFunction("controller/guard-main.ts", join(dist, "controller/guard.mjs"));

const shipped = [
  "runtime/entrypoint.sh",
  "config/lambdaflex.schema.json",
  "local/load/worldcup98-match-day.csv",
  ...readdirSync(join(root, "src/dashboard/page"))
    .filter((name) => !name.endsWith(".test.ts"))
    .map((name) => `dashboard/page/${name}`),
];
for (const file of shipped) {
  mkdirSync(dirname(join(dist, file)), { recursive: true });
  copyFileSync(join(root, "src", file), join(dist, file));
}
chmodSync(join(dist, "cli/main.js"), 0o755);
chmodSync(join(dist, "runtime/entrypoint.sh"), 0o755);
