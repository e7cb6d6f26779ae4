/** Who may import whom (docs: ARCHITECTURE.md), and who may ask for the time or for chance. */
import assert from "node:assert/strict";
import { posix } from "node:path";
import { test } from "node:test";
import { importedModules, type SourceFile, sourceFile, textFiles } from "./sources.ts";

/** A part of `src`, a package, or `node:*`; a part may always import itself. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  policies: ["core"],
  config: ["core", "policies", "zod", "node:*"],
  local: ["core", "parity", "node:*", "dns-packet", "dockerode"],
  parity: [],
  dashboard: ["core", "node:*", "uplot"],
  runtime: ["node:*"],
  sim: ["core", "policies"],
  aws: ["core", "@aws-sdk/*", "node:*"],
  controller: ["core", "policies", "config", "aws", "@aws-sdk/*", "node:*"],
  cdk: ["core", "config", "aws", "aws-cdk-lib", "constructs", "node:*"],
  "index.ts": ["core", "policies", "config"],
};

/** Time is an argument and chance a parameter; these are where the real ones come from. */
const mayAskReality: readonly (readonly [path: string, why: string])[] = [
  ["src/cli/", "starts everything: hands the clock and the seed to the others"],
  ["src/runtime/", "runs inside the image, where all time is real"],
  ["src/local/clock.ts", "turns real time into virtual time"],
  ["src/local/lambda/gateway.ts", "measures real latency"],
  ["src/local/lambda/stamp.ts", "stamps events for the service"],
  ["src/local/lambda/runtime-api.ts", "tells the service a deadline on its own clock"],
  ["src/local/lambda/pool.ts", "real requests wait in real time"],
  ["src/local/lambda/environment.ts", "ends what takes longer than the function may, really"],
  ["src/local/fargate/upstream.ts", "keeps real connections, which idle in real time"],
  ["src/local/load/", "sends real requests and measures their real latency"],
  ["src/local/leash.ts", "waits for the kernel, which knows no virtual time"],
  ["src/local/rehearsal.ts", "waits for the kernel at its end"],
  ["src/controller/main.ts", "is what AWS Lambda calls: hands the clock to the handler"],
  ["src/controller/guard-main.ts", "is what AWS Lambda calls: hands the clock to the guard"],
  ["src/local/processor-gauge.ts", "measures this machine"],
];

const reality = /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bperformance\.now\b/;

function importViolations({ path, text }: SourceFile): string[] {
  const part = path.split("/")[1] ?? "";
  if (part === "cli") return [];
  const isTest = /\.(test|perf)\.ts$/.test(path);
  const allowed = mayImport[part];
  if (!allowed) return [`${path}: no rule for src/${part}`];
  return importedModules(text).flatMap((specifier) => {
    const inside = posix.join(posix.dirname(path), specifier);
    const found = specifier.startsWith(".") ? inside.split("/") : [specifier];
    const target = found[0] === "src" ? (found[1] ?? "") : (found[0] ?? "");
    if (target === part || matches(target, allowed)) return [];
    if (isTest && matches(target, ["node:*", "fast-check", "test"])) return [];
    return [`${path} imports ${specifier}`];
  });
}

function matches(target: string, allowed: readonly string[]): boolean {
  return allowed.some((name) =>
    name.endsWith("*")
      ? target.startsWith(name.slice(0, -1))
      : target === name || target.startsWith(`${name}/`),
  );
}

function realityViolations({ path, lines }: SourceFile): string[] {
  if (/\.(test|perf)\.ts$/.test(path)) return [];
  if (mayAskReality.some(([start]) => path.startsWith(start))) return [];
  return lines.flatMap((line, at) =>
    reality.test(line) ? [`${path}:${at + 1}: ${line.trim()}`] : [],
  );
}

const sources = textFiles().filter(({ path }) => /^src\/.*\.ts$/.test(path));

test("the parts import only what they may", () => {
  assert.ok(sources.length > 0);
  assert.deepEqual(sources.flatMap(importViolations), []);
});

test("time and chance come from outside", () => {
  assert.deepEqual(sources.flatMap(realityViolations), []);
});

test("the rules bite", () => {
  const bad = [
    ["src/core/a.ts", 'import { x } from "node:fs";'],
    ["src/core/a.ts", 'export type { X } from "../local/clock.ts";'],
    ["src/core/a.test.ts", 'import { x } from "../local/clock.ts";'],
    ["src/policies/a.ts", 'import {\n  type X,\n  y,\n} from "../config/errors.ts";'],
    ["src/runtime/a.ts", 'const x = await import("zod");'],
    ["src/local/dns/a.ts", 'import "zod";'],
    ["src/unknown/a.ts", ""],
  ] as const;
  for (const [path, text] of bad) {
    assert.equal(importViolations(sourceFile(path, text)).length, 1, text);
  }
  const good = [
    ["src/core/a.ts", '// import "x";\nimport { y } from "./b.ts";'],
    ["src/core/a.test.ts", 'import "node:test";\nimport fc from "fast-check";'],
    ["src/local/dns/a.test.ts", 'import { contract } from "../../../test/contract.ts";'],
    ["src/aws/a.ts", 'import { X } from "@aws-sdk/client-ecs";'],
    ["src/cdk/a.ts", 'import { aws_ecs } from "aws-cdk-lib/aws-ecs";'],
  ] as const;
  for (const [path, text] of good) {
    assert.deepEqual(importViolations(sourceFile(path, text)), []);
  }
  const asking = sourceFile("src/core/a.ts", "const now = Date.now();");
  assert.equal(realityViolations(asking).length, 1);
});
