/** The bootstrap as one file: what it loads, which shows in the memory, and where it runs. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { bundleBootstrap } from "../tools/bundle.ts";
import { startFakeRuntimeApi } from "./fake-runtime-api.ts";

const folder = mkdtempSync(join(tmpdir(), "lambdaflex-bundle-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const bundle = join(folder, "bootstrap.mjs");
bundleBootstrap(bundle);

const service = `
const server = require("node:http").createServer((request, response) => response.end("pets"));
server.listen(Number(process.env.PORT), "127.0.0.1");
process.on("SIGTERM", () => process.exit());
`;

/** Serves one invocation by `node`, and resolves with what `look` says at the end. */
async function serveOne(t: TestContext, node: string, look: string): Promise<string> {
  const seen = join(folder, "seen.txt");
  const spy = join(folder, "spy.cjs");
  const [file, value] = [JSON.stringify(seen), `String(${look})`];
  writeFileSync(
    spy,
    `process.on("exit", () => process.getBuiltinModule("fs").writeFileSync(${file}, ${value}));`,
  );
  const api = await startFakeRuntimeApi();
  t.after(() => api.close());
  const command = [process.execPath, "-e", service];
  const child = spawn(node, ["--require", spy, bundle, "--", ...command], {
    env: { AWS_LAMBDA_RUNTIME_API: api.address, AWS_LWA_PORT: String(await freePort()) },
    stdio: "ignore",
  });
  const exited = once(child, "close");
  t.after(() => child.kill("SIGKILL"));
  const requestContext = { http: { method: "GET" }, domainName: "pets.example" };
  const event = { version: "2.0", rawPath: "/", rawQueryString: "", headers: {}, requestContext };
  const { body } = await api.invoke(event);
  assert.match(String(body), /"statusCode":200.*pets/);
  child.kill("SIGTERM");
  await exited;
  return readFileSync(seen, "utf8");
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

test("modules that no invocation needs are not loaded", async (t) => {
  const loaded = await serveOne(t, process.execPath, "process.moduleLoadList.join()");
  const names = loaded.split(",").map((name) => name.replace("NativeModule ", ""));
  assert(names.includes("net"), "the list has another form now");
  const costly = ["crypto", "assert", "http", "zlib", "tls", "perf_hooks", "internal/fs/promises"];
  assert.deepEqual(
    costly.filter((name) => names.includes(name)),
    [],
  );
});

test("what came in is not cut from a pool, which its pieces would keep alive", async (t) => {
  assert.equal(await serveOne(t, process.execPath, "Buffer.poolSize"), "0");
});

// Images bring a Node of their own; an older one beside ours stands for it where there is one.
const beside = "/usr/bin/node";
const { stdout: version } = spawnSync(beside, ["--version"], { encoding: "utf8" });
if (version) {
  test(`the single file runs on ${version.trim()}`, async (t) => {
    assert.equal(await serveOne(t, beside, "process.version"), version.trim());
  });
}
