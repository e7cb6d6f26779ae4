/** What a failed build says, with a docker command of its own in front of the real one. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { UserError } from "../../config/errors.ts";
import { buildImage } from "./docker.ts";

const folder = mkdtempSync(join(tmpdir(), "lambdaflex-docker-"));
const path = process.env.PATH;
process.env.PATH = `${folder}:${path}`;
after(() => {
  process.env.PATH = path;
  rmSync(folder, { recursive: true, force: true });
});

/** The mistake that a build makes of a Dockerfile when the command answers so. */
async function failed(dockerfile: string, buildx: boolean): Promise<UserError> {
  writeFileSync(join(folder, "Dockerfile"), dockerfile);
  const lines = [
    "#!/bin/sh",
    'case "$1" in',
    "version) echo linux/amd64 ;;",
    `buildx) exit ${buildx ? 0 : 1} ;;`,
    "*) echo it broke >&2; exit 1 ;;",
    "esac",
  ];
  writeFileSync(join(folder, "docker"), lines.join("\n"));
  chmodSync(join(folder, "docker"), 0o755);
  const { signal } = new AbortController();
  const build = { folder, architecture: "x86_64", name: "x", onLine: () => {}, signal } as const;
  return buildImage(build).then(
    () => assert.fail("it was built"),
    (error) => error,
  );
}

test("a classic builder is named when the Dockerfile needs BuildKit", async () => {
  for (const line of [
    "FROM --platform=$BUILDPLATFORM golang:1",
    "FROM a\nCOPY --from=b --chmod=0755 /x /y",
    "FROM a\nRUN --mount=type=cache,target=/x true",
  ]) {
    const { code, hint } = await failed(line, false);
    assert.equal(code, "IMAGE_BUILD_FAILED");
    assert.match(hint, /needs BuildKit.* install buildx/, line);
    assert.doesNotMatch((await failed(line, true)).hint, /BuildKit/, line);
  }
  assert.doesNotMatch((await failed("FROM a\nRUN false", false)).hint, /BuildKit/);
});

test("a Dockerfile that cannot be read is told from one that is not there", async () => {
  const { signal } = new AbortController();
  const build = { architecture: "x86_64", name: "x", onLine: () => {}, signal } as const;
  const none = join(folder, "none");
  mkdirSync(join(folder, "odd/Dockerfile"), { recursive: true });
  await assert.rejects(buildImage({ ...build, folder: none }), { code: "DOCKERFILE_MISSING" });
  const odd = buildImage({ ...build, folder: join(folder, "odd") });
  await assert.rejects(odd, { code: "DOCKERFILE_INVALID" });
});
