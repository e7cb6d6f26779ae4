/** Bundles what ships as one file. */
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

const source = (path: string): string => fileURLToPath(new URL(`../src/${path}`, import.meta.url));

/** The bootstrap, for images: also those with Node 20. */
export function bundleBootstrap(outfile: string): void {
  buildSync({
    entryPoints: [source("runtime/bootstrap.ts")],
    outfile,
    bundle: true,
    minify: true,
    platform: "node",
    format: "esm",
    target: "node20",
    allowOverwrite: true,
    logLevel: "warning",
  });
}

/**
 * A function of the stacks, by its entry in `src`: the controller's is `controller/main.ts`. The
 * pinned SDK is in it, so that nothing changes by itself in AWS.
 */
export function bundleFunction(entry: string, outfile: string): void {
  buildSync({
    entryPoints: [source(entry)],
    outfile,
    bundle: true,
    minify: true,
    platform: "node",
    format: "esm",
    target: "node22",
    // The SDK's ES modules shake off the calls that are not used; its CommonJS does not.
    mainFields: ["module", "main"],
    logLevel: "warning",
  });
}
