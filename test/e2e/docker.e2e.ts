/** The same image on both tiers, in containers of a real engine. Skipped where there is none. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { openContainers } from "../../src/local/docker/containers.ts";
import { buildForeignImage, engineAnswers, importBaseImage, petStoreFiles } from "./base-image.ts";
import { makeFolder, run, start } from "./rig.ts";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const skip = engineAnswers() ? false : "no Docker engine answers on this machine";

const store = JSON.parse(
  readFileSync(join(repository, "examples/pet-store-node/lambdaflex.json"), "utf8"),
) as Record<string, unknown>;

/** Tells what its sandbox lets it do. */
const prober = `
  const { createServer } = require("node:http");
  const { writeFileSync, readFileSync } = require("node:fs");
  const attempt = (work) => { try { work(); return "ok"; } catch (error) { return error.code; } };
  const server = createServer((request, response) => {
    if (request.url === "/sick") response.statusCode = 500;
    if (request.url === "/hog") { const kept = []; for (;;) kept.push(Buffer.alloc(1 << 24, 1)); }
    response.end(JSON.stringify({
      root: attempt(() => writeFileSync("/written", "x")),
      tmp: attempt(() => writeFileSync("/tmp/written", "x")),
      uid: process.getuid(),
      capabilities: /CapEff:\\s*(\\S+)/.exec(readFileSync("/proc/self/status", "utf8"))[1],
      port: process.env.PORT,
      tier: process.env.LAMBDAFLEX_TIER,
    }));
  });
  if (process.env.NEVER !== "1") server.listen(process.env.PORT, "0.0.0.0");
  else setInterval(() => {}, 1000);
`;

function dockerfile(base: string, command: string): string {
  return [
    `FROM ${base}`,
    "WORKDIR /app",
    "COPY . .",
    "ENV HOST=0.0.0.0 PORT=8080",
    'ENTRYPOINT ["node", "/app/bootstrap.mjs", "--"]',
    `CMD ["node", "${command}"]`,
  ].join("\n");
}

/** A folder whose Dockerfile builds without anything from outside. */
function imageFolder(base: string, config: unknown, files: Record<string, string> = {}): string {
  const folder = makeFolder({
    "lambdaflex.json": config,
    Dockerfile: dockerfile(base, files["prober.cjs"] === undefined ? "server.js" : "prober.cjs"),
    ".dockerignore": ".lambdaflex\n",
    ...files,
  });
  petStoreFiles(folder, repository);
  return folder;
}

function left(): string[] {
  const list = (what: string, format: string): string =>
    execFileSync(
      "docker",
      [
        what,
        "ls",
        ...(what === "container" ? ["--all"] : []),
        "--filter",
        label,
        "--format",
        format,
      ],
      { encoding: "utf8" },
    );
  const label = "label=dev.lambdaflex.run";
  const found = list("container", "{{.Names}}") + list("network", "{{.Name}}");
  return found.split("\n").filter((name) => name !== "");
}

async function nothingLeft(withinMs: number): Promise<void> {
  for (let waited = 0; waited < withinMs && left().length > 0; waited += 250) await sleep(250);
  assert.deepEqual(left(), []);
}

describe("containers of one image", { skip }, () => {
  let base = "";
  before(() => {
    base = importBaseImage();
  });

  test("a whole rehearsal loses no request and leaves nothing", async () => {
    const folder = imageFolder(base, store);
    const args = ["rehearse", "--runtime", "docker", "--peak", "100", "--no-web", "--json"];
    const ended = await run(folder, args);
    assert.equal(ended.code, 0, ended.stderr);
    const result = JSON.parse(ended.stdout) as { failed: number; requests: number };
    assert.equal(result.failed, 0);
    assert.ok(result.requests > 500, `${result.requests}`);
    const image = execFileSync(
      "docker",
      ["image", "inspect", "--format", "{{.Id}}", "lambdaflex/pet-store:local"],
      { encoding: "utf8" },
    ).trim();
    assert.match(ended.stderr, new RegExp(`\\(${image.slice(0, 19)}\\) on both tiers`));
    assert.deepEqual(left(), []);
  });

  test("check finds the same answers on both tiers", async () => {
    const folder = imageFolder(base, store);
    const ended = await run(folder, ["check", "--dynamic", "--runtime", "docker", "--json"]);
    assert.equal(ended.code, 0, ended.stdout + ended.stderr);
    assert.ok((JSON.parse(ended.stdout) as { requests: number }).requests > 5);
    assert.deepEqual(left(), []);
  });

  const adapter = process.env.LAMBDAFLEX_ADAPTER ?? "";
  const noAdapter = existsSync(adapter) ? false : "LAMBDAFLEX_ADAPTER names no Lambda Web Adapter";
  test("an image with AWS's adapter answers alike on both tiers", { skip: noAdapter }, async () => {
    const folder = imageFolder(base, store);
    copyFileSync(adapter, join(folder, "lambda-adapter"));
    const lines = [
      `FROM ${base}`,
      "COPY lambda-adapter /opt/extensions/lambda-adapter",
      "WORKDIR /app",
      "COPY . .",
      "ENV HOST=0.0.0.0 PORT=8080",
      'CMD ["node", "server.js"]',
    ];
    writeFileSync(join(folder, "Dockerfile"), lines.join("\n"));
    const args = ["check", "--dynamic", "--runtime", "docker", "--json"];
    const ended = await run(folder, args);
    assert.equal(ended.code, 0, ended.stdout + ended.stderr);
    assert.ok((JSON.parse(ended.stdout) as { requests: number }).requests > 5);
    assert.deepEqual(left(), []);
  });

  test("a run that is killed leaves no container for long", async () => {
    const folder = imageFolder(base, store);
    const args = ["dev", "--runtime", "docker", "--port", "0", "--no-web"];
    const killed = start(folder, args);
    await killed.line(/pet store on http/);
    assert.ok(left().length >= 2, "a container and its network");
    killed.kill("SIGKILL");
    await killed.ended;
    await nothingLeft(15_000);
  });

  test("the sandbox gives what the tiers give, and no more", async () => {
    const folder = imageFolder(base, { command: ":" }, { "prober.cjs": prober });
    const image = "lambdaflex-test/prober";
    execFileSync("docker", ["build", "--quiet", "--tag", image, folder], { stdio: "pipe" });
    const containers = await openContainers({ image, port: 8080 });
    try {
      const sandbox = await containers.sandboxes.start({
        tier: "fargate",
        id: "task-1",
        service: {
          name: "prober",
          command: [],
          cwd: folder,
          env: {},
          readiness: { path: "/", timeoutMs: 10_000 },
          digest: containers.digest,
        },
        launcher: [],
        env: { LAMBDAFLEX_TIER: "fargate" },
        port: 1,
        limits: { memoryMB: 256, vcpu: 0.5 },
        onLine: () => undefined,
      });
      const told = await eventualAnswer(sandbox.endpoint);
      assert.deepEqual(JSON.parse(told), {
        root: "EROFS",
        tmp: "ok",
        uid: 1000,
        capabilities: "0000000000000000",
        port: "8080",
        tier: "fargate",
      });
      // More memory than the limit ends it, and nothing else.
      await eventualAnswer(sandbox.endpoint, "/hog").catch(() => undefined);
      assert.notEqual(await sandbox.exited, 0);
    } finally {
      assert.equal(await containers.close(), 0);
    }
  });

  const mistakes: readonly (readonly [string, string, (folder: string) => readonly string[]])[] = [
    ["an image that is not there", "IMAGE_UNKNOWN", () => ["--image", "lambdaflex-test/none"]],
    [
      "an image that says nothing",
      "IMAGE_NO_COMMAND",
      () => ["--image", "lambdaflex-test/base:machine"],
    ],
    ["an image for another processor", "IMAGE_PLATFORM", () => ["--image", buildForeignImage()]],
    [
      "no Dockerfile",
      "DOCKERFILE_MISSING",
      (folder) => {
        rmSync(join(folder, "Dockerfile"));
        return [];
      },
    ],
    [
      "an unreadable Dockerfile",
      "IMAGE_BUILD_FAILED",
      (folder) => {
        writeFileSync(join(folder, "Dockerfile"), "FORM nothing\n");
        return [];
      },
    ],
  ];
  for (const [what, code, spoil] of mistakes) {
    test(`${what} is a coded mistake`, async () => {
      const folder = imageFolder(base, { ...store, readiness: { path: "/", timeoutSeconds: 5 } });
      const args = ["rehearse", "--runtime", "docker", "--no-web", ...spoil(folder)];
      const ended = await run(folder, args);
      assert.equal(ended.code, 2, ended.stderr);
      assert.match(ended.stderr, new RegExp(`error ${code}: .+\\nhint: .+`));
      assert.deepEqual(left(), []);
    });
  }

  test("no engine is a coded mistake", async () => {
    const folder = imageFolder(base, store);
    const args = ["rehearse", "--runtime", "docker", "--no-web"];
    const env = { DOCKER_HOST: "unix:///nonexistent/docker.sock" };
    const ended = await run(folder, args, { env });
    assert.equal(ended.code, 2, ended.stderr);
    assert.match(ended.stderr, /error DOCKER_MISSING: /);
  });

  for (const [what, variables, path] of [
    ["a port that is never opened", { NEVER: "1" }, "/"],
    ["a readiness path that answers 500", {}, "/sick"],
  ] as const) {
    test(`${what} is a coded mistake and leaves nothing`, async () => {
      const config = {
        name: "prober",
        command: ":",
        env: variables,
        readiness: { path, timeoutSeconds: 4 },
      };
      const folder = imageFolder(base, config, { "prober.cjs": prober });
      const ended = await run(folder, ["rehearse", "--runtime", "docker", "--no-web"]);
      assert.equal(ended.code, 2, ended.stderr);
      assert.match(ended.stderr, /error SERVICE_NOT_READY: /);
      assert.deepEqual(left(), []);
    });
  }
});

async function eventualAnswer(
  endpoint: { readonly host: string; readonly port: number },
  path = "/",
): Promise<string> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const answer = await fetch(`http://${endpoint.host}:${endpoint.port}${path}`);
      return await answer.text();
    } catch (error) {
      if (attempt > 40 || path !== "/") throw error;
      await sleep(250);
    }
  }
}
