/** The examples are one service in two languages: both hold the same conversation over HTTP. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { Agent, createServer, type IncomingHttpHeaders, request } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { loadConfig, loadMix, serviceFields } from "../src/config/index.ts";

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: () => unknown;
}

interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Running {
  readonly child: ChildProcess;
  readonly port: number;
  readonly send: (method: string, path: string, sent?: Sent) => Promise<Answer>;
  readonly stop: () => Promise<void>;
}

interface Pet {
  readonly id: number;
  readonly name: string;
  readonly tag: string | null;
}

const startMsMax = 30_000;

function folderOf(name: string): string {
  return fileURLToPath(new URL(`../examples/${name}`, import.meta.url));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function sender(port: number, agent: Agent): Running["send"] {
  return (method, path, sent = {}) =>
    new Promise((resolve, reject) => {
      const { headers = {}, body } = sent;
      const options = { agent, host: "127.0.0.1", port, method, path, headers };
      const outgoing = request(options, async (incoming) => {
        const chunks: Buffer[] = [];
        for await (const chunk of incoming) chunks.push(chunk as Buffer);
        const text = Buffer.concat(chunks).toString("utf8");
        const json = (): unknown => JSON.parse(text);
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text, json });
      });
      outgoing.on("error", reject);
      outgoing.end(body);
    });
}

/** Starts an example by the command of its own configuration, as lambdaflex does. */
async function start(name: string, env: Readonly<Record<string, string>> = {}): Promise<Running> {
  const folder = folderOf(name);
  const { config } = await loadConfig(folder);
  const { command, readiness } = serviceFields(config, folder);
  const [program = "", ...args] = command;
  const port = await freePort();
  const child = spawn(program, args, {
    cwd: folder,
    env: { PATH: process.env.PATH ?? "", ...env, PORT: String(port) },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const ended = once(child, "exit");
  const agent = new Agent({ keepAlive: true });
  const send = sender(port, agent);
  const stop = async (): Promise<void> => {
    agent.destroy();
    if (child.exitCode === null) child.kill("SIGKILL");
    await ended;
  };
  for (const begun = performance.now(); performance.now() - begun < startMsMax; ) {
    const answer = await send("GET", readiness.path).catch(() => null);
    if (answer?.status === 200) return { child, port, send, stop };
    assert.equal(child.exitCode, null, `${name} ended while it started`);
    await pause(20);
  }
  await stop();
  return assert.fail(`${name} did not get ready`);
}

const asJson = { "content-type": "application/json" };
const post = (value: unknown): Sent => ({ headers: asJson, body: JSON.stringify(value) });

/** Everything that a client can see, the same for every implementation. */
function conversation(name: string): void {
  let service: Running;
  before(async () => {
    service = await start(name);
  });
  after(() => service.stop());
  const send: Running["send"] = (...sent) => service.send(...sent);
  const refused = async (status: number, ...sent: Parameters<typeof send>): Promise<Answer> => {
    const answer = await send(...sent);
    assert.equal(answer.status, status, answer.text);
    assert.equal(typeof (answer.json() as { detail: unknown }).detail, "string");
    return answer;
  };

  test("greets", async () => {
    const answer = await send("GET", "/");
    const links = { pets: "/pets", docs: "/docs" };
    assert.deepEqual(answer.json(), { message: "Welcome to the pet store", ...links });
    assert.match(answer.headers["content-type"] ?? "", /^application\/json/);
  });

  test("lists the first pets, as many as asked for", async () => {
    const all = (await send("GET", "/pets")).json() as Pet[];
    assert.deepEqual(all[0], { id: 1, name: "Bella", tag: "dog" });
    assert.deepEqual(all[4], { id: 5, name: "Rocky", tag: null });
    assert.equal(((await send("GET", "/pets?limit=2")).json() as Pet[]).length, 2);
    for (const limit of ["0", "101", "x", "-1", ""])
      await refused(400, "GET", `/pets?limit=${limit}`);
  });

  test("adds, reads, replaces and removes a pet", async () => {
    const added = await send("POST", "/pets", post({ name: "Zoë 🐕", tag: "dog", age: 3 }));
    assert.equal(added.status, 201);
    const pet = added.json() as Pet;
    assert.deepEqual(pet, { id: pet.id, name: "Zoë 🐕", tag: "dog" });
    assert.equal(added.headers.location, `/pets/${pet.id}`);
    const path = `/pets/${pet.id}`;
    assert.deepEqual((await send("GET", path)).json(), pet);
    const replaced = await send("PUT", path, post({ name: "Zoe" }));
    assert.deepEqual([replaced.status, replaced.json()], [200, { ...pet, name: "Zoe", tag: null }]);
    const removed = await send("DELETE", path);
    assert.deepEqual([removed.status, removed.text], [204, ""]);
    for (const method of ["GET", "DELETE"]) await refused(404, method, path);
    await refused(404, "PUT", path, post({ name: "Zoe" }));
  });

  test("refuses what is not a pet", async () => {
    const wrong = [{}, [], null, 5, { name: "" }, { name: 5 }, { name: "x".repeat(101) }];
    for (const value of [...wrong, { name: "a", tag: "" }, { name: "a", tag: 1 }]) {
      await refused(400, "POST", "/pets", post(value));
    }
    await refused(400, "POST", "/pets", { headers: asJson, body: "{not json" });
    await refused(400, "POST", "/pets", { headers: asJson, body: "" });
    await refused(400, "PUT", "/pets/2", post({ tag: "no name" }));
  });

  test("refuses other types and large bodies, and the connection stays usable", async () => {
    await refused(415, "POST", "/pets", { headers: { "content-type": "text/plain" }, body: "{}" });
    await refused(415, "POST", "/pets", { body: '{"name":"a"}' });
    const body = JSON.stringify({ name: "a", fill: "x".repeat(300_000) });
    await refused(413, "POST", "/pets", { headers: asJson, body });
    const headers = { "content-type": "Application/JSON; charset=utf-8" };
    const answer = await send("POST", "/pets", { headers, body: '{"name":"a"}' });
    assert.equal(answer.status, 201);
  });

  test("knows its paths and their methods", async () => {
    for (const path of ["/nothing", "/pets/abc", "/pets/1/toys", "/pets/99999"]) {
      await refused(404, "GET", path);
    }
    const list = await refused(405, "DELETE", "/pets");
    assert.deepEqual(list.headers.allow?.split(", ").toSorted(), ["GET", "POST"]);
    const one = await refused(405, "POST", "/pets/1", post({ name: "a" }));
    assert.deepEqual(one.headers.allow?.split(", ").toSorted(), ["DELETE", "GET", "PUT"]);
    assert.equal((await refused(405, "POST", "/", post({}))).headers.allow, "GET");
  });

  test("answers HEAD like GET without the body", async () => {
    const head = await send("HEAD", "/pets/1");
    const get = await send("GET", "/pets/1");
    assert.deepEqual([head.status, head.text], [200, ""]);
    assert.equal(head.headers["content-length"], get.headers["content-length"]);
  });

  test("gives the request's id back, with errors too", async () => {
    for (const path of ["/", "/nothing", "/pets?limit=x"]) {
      const id = `id of ${path}`;
      const answer = await send("GET", path, { headers: { "x-request-id": id } });
      assert.equal(answer.headers["x-request-id"], id);
    }
    assert.equal((await send("GET", "/")).headers["x-request-id"], undefined);
  });

  test("describes itself without anything from another server", async () => {
    const page = await send("GET", "/docs");
    assert.match(page.headers["content-type"] ?? "", /^text\/html/);
    assert.doesNotMatch(page.text, /(src|href)="?(https?:)?\/\//);
    assert.match(page.text, /fetch\("openapi\.json"\)/);
    const api = (await send("GET", "/openapi.json")).json() as Api;
    assert.match(api.openapi, /^3\.1\./);
    assert.deepEqual(operationsOf(api), operations);
  });

  test("keeps the newest thousand pets", async () => {
    let last: Pet | null = null;
    for (let count = 0; count < 1000; count += 1) {
      last = (await send("POST", "/pets", post({ name: `pet ${count}` }))).json() as Pet;
    }
    await refused(404, "GET", "/pets/1");
    assert.equal((await send("GET", `/pets/${(last?.id ?? 0) - 999}`)).status, 200);
    await refused(404, "GET", `/pets/${(last?.id ?? 0) - 1000}`);
  });

  test("answers the requests of its own mix as expected", async () => {
    const { config } = await loadConfig(folderOf(name));
    for (const { method, path, headers, body, expect, echo } of loadMix(config)) {
      const fill = (text: string): string =>
        text.replaceAll("{token}", "t0k3n").replaceAll("{n}", "3");
      const sent = { headers, ...(body !== undefined && { body: fill(body) }) };
      const answer = await send(method, fill(path), sent);
      assert.ok(expect.includes(answer.status), `${method} ${path}: ${answer.status}`);
      if (echo && answer.status < 300) assert.match(answer.text, /t0k3n/);
    }
  });

  test("passes the stack's status on", () => stackStatus(name));
  test("answers what is in flight after SIGTERM and ends", () => drain(name));
}

interface Api {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Operation {
  readonly responses: Readonly<Record<string, unknown>>;
}

function operationsOf(api: Api): readonly string[] {
  return Object.entries(api.paths)
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { responses }]) => {
        return `${method} ${path}: ${Object.keys(responses).toSorted().join(" ")}`;
      }),
    )
    .toSorted();
}

const operations = [
  "delete /pets/{pet_id}: 204 404",
  "get /: 200",
  "get /healthz: 200",
  "get /pets/{pet_id}: 200 404",
  "get /pets: 200 400",
  "get /stack-status: 200",
  "post /pets: 201 400 413 415",
  "put /pets/{pet_id}: 200 400 404 413 415",
];

/** The status comes from an address in the environment, and its absence is no failure. */
async function stackStatus(name: string): Promise<void> {
  let text = '{"target":"fargate","phase":"shifting","weights":{"lambda":90},"stack":"ready"}';
  const source = createServer((_, response) => response.end(text)).listen(0, "127.0.0.1");
  await once(source, "listening");
  const { port } = source.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/`;
  const service = await start(name, { LAMBDAFLEX_TIER: "lambda", LAMBDAFLEX_STATUS_URL: url });
  const status = async (): Promise<unknown> => (await service.send("GET", "/stack-status")).json();
  try {
    assert.deepEqual(await status(), {
      tier: "lambda",
      stack: "ready",
      target: "fargate",
      phase: "shifting",
      weights: { lambda: 90 },
    });
    text = "not json";
    assert.deepEqual(await status(), { tier: "lambda", stack: "unknown" });
    source.closeAllConnections();
    source.close();
    assert.deepEqual(await status(), { tier: "lambda", stack: "unknown" });
  } finally {
    source.closeAllConnections();
    source.close();
    await service.stop();
  }
}

async function readAll(socket: Socket): Promise<string> {
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text;
}

/** The request's second half comes after the signal: its answer must come as well. */
async function drain(name: string): Promise<void> {
  const service = await start(name);
  const socket = connect(service.port, "127.0.0.1");
  await once(socket, "connect");
  const body = '{"name":"in flight"}';
  const head = `POST /pets HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n`;
  socket.write(`${head}content-length: ${body.length}\r\n\r\n${body.slice(0, 5)}`);
  // A second request shows that the service has begun with the first one before the signal.
  assert.equal((await service.send("GET", "/healthz")).status, 200);
  const ended = once(service.child, "exit");
  const answer = readAll(socket);
  service.child.kill("SIGTERM");
  await refusesConnections(service.port);
  socket.write(body.slice(5));
  assert.match(await answer, /^HTTP\/1\.1 201 .*\r\nconnection: close\r\n/is);
  const [code, signal] = (await ended) as [number | null, string | null];
  assert.ok(code === 0 || signal === "SIGTERM", `code ${code}, signal ${signal}`);
  await service.stop();
}

async function refusesConnections(port: number): Promise<void> {
  for (const begun = performance.now(); performance.now() - begun < 5000; await pause(10)) {
    const socket = connect(port, "127.0.0.1");
    const outcome = await Promise.race([
      once(socket, "connect").then(() => "open"),
      once(socket, "error").then(() => "refused"),
    ]).catch(() => "refused");
    socket.destroy();
    if (outcome === "refused") return;
  }
  assert.fail("the service still takes connections after SIGTERM");
}

const fastapi = "pet-store-fastapi";
const required = process.env.LAMBDAFLEX_TEST_FASTAPI === "1";
const installed = existsSync(`${folderOf(fastapi)}/.venv/bin/uvicorn`);
const why = "its setup has not run; LAMBDAFLEX_TEST_FASTAPI=1 makes this a failure";

describe("pet-store-node", () => conversation("pet-store-node"));
describe(fastapi, { skip: !installed && !required && why }, () => conversation(fastapi));

test("both examples show the same page and have the same mix", async () => {
  const [node, python] = ["pet-store-node", fastapi].map((name) => folderOf(name));
  const page = (folder = ""): string => readFileSync(`${folder}/docs.html`, "utf8");
  assert.equal(page(node), page(python));
  const mix = async (folder?: string): Promise<unknown> =>
    loadMix((await loadConfig(folder)).config);
  assert.deepEqual(await mix(node), await mix(python));
});
