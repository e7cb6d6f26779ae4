/** The minimal services, which `init` copies, are one service in three languages. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { root } from "./sources.ts";

const startMsMax = 20_000;
const folderOf = (name: string): string => join(root, "examples", name);

interface Running {
  readonly child: ChildProcess;
  readonly port: number;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function start(folder: string, argv: readonly string[]): Promise<Running> {
  const port = await freePort();
  const [program = "", ...args] = argv;
  const child = spawn(program, args, {
    cwd: folder,
    env: { PATH: process.env.PATH ?? "", PORT: String(port), LAMBDAFLEX_TIER: "lambda" },
    stdio: ["ignore", "ignore", "inherit"],
  });
  for (const begun = performance.now(); performance.now() - begun < startMsMax; ) {
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => null);
    if (answer?.status === 200) return { child, port };
    assert.equal(child.exitCode, null, "it ended while it started");
    await pause(20);
  }
  child.kill("SIGKILL");
  return assert.fail("it did not get ready");
}

async function readAll(socket: Socket): Promise<string> {
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text;
}

function conversation(name: string, argv: () => readonly string[]): void {
  let service: Running;
  before(async () => {
    service = await start(folderOf(name), argv());
  });
  after(() => service.child.kill("SIGKILL"));

  test("greets, tells its tier, and knows its paths", async () => {
    const url = `http://127.0.0.1:${service.port}`;
    const greeting = await fetch(`${url}/?x=1`);
    assert.match(greeting.headers.get("content-type") ?? "", /^application\/json/);
    assert.deepEqual(await greeting.json(), { message: "hello", tier: "lambda" });
    assert.deepEqual(await (await fetch(`${url}/healthz`)).json(), { status: "ok" });
    for (const path of ["/nothing", "/toString", "/healthz/x"]) {
      const nothing = await fetch(url + path);
      assert.deepEqual(
        [nothing.status, await nothing.json()],
        [404, { detail: `there is nothing at ${path}` }],
      );
    }
  });

  test("keeps connections, and ends by SIGTERM although one is idle", async () => {
    const socket = connect(service.port, "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    await once(socket, "data");
    socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    await once(socket, "data");
    const ended = once(service.child, "exit");
    const rest = readAll(socket);
    service.child.kill("SIGTERM");
    const [code, signal] = (await ended) as [number | null, string | null];
    assert.ok(code === 0, `code ${code}, signal ${signal}`);
    await rest;
  });
}

describe("hello-node", () => conversation("hello-node", () => [process.execPath, "server.js"]));

const lacks = (program: string, ...args: string[]): string | false =>
  spawnSync(program, args).status === 0 ? false : `there is no ${program}`;

describe("hello-python", { skip: lacks("python3", "--version") }, () => {
  conversation("hello-python", () => ["python3", "app.py"]);
});

describe("hello-go", { skip: lacks("go", "version") }, () => {
  const built = mkdtempSync(join(tmpdir(), "lambdaflex-go-"));
  after(() => rmSync(built, { recursive: true, force: true }));
  conversation("hello-go", () => {
    const binary = join(built, "service");
    const { status, stderr } = spawnSync("go", ["build", "-o", binary, "."], {
      cwd: folderOf("hello-go"),
      encoding: "utf8",
    });
    assert.equal(status, 0, stderr);
    return [binary];
  });
});
