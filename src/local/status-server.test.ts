import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, it } from "node:test";
import { manualClock } from "../../test/manual-clock.ts";
import { newStage, stageCloud, stageSettings } from "../../test/stage-cloud.ts";
import { routeOf, tick } from "../core/index.ts";
import { createControlPlane } from "./control-plane.ts";
import { awsDelays } from "./delays.ts";
import { type StatusServer, startStatusServer, statusDocument } from "./status-server.ts";

describe("the status server", () => {
  let server: StatusServer;
  let document: unknown = { phase: "steady", name: "Zoë" };
  beforeEach(async () => {
    server = await startStatusServer(() => document);
  });
  afterEach(() => server.stop());

  it("answers each GET with the present document, on loopback", async () => {
    assert.match(server.url, /^http:\/\/127\.0\.0\.1:\d+\/$/);
    const response = await fetch(server.url);
    assert.equal(response.headers.get("content-type"), "application/json");
    assert.equal(response.headers.get("cache-control"), "no-store");
    assert.deepEqual(await response.json(), document);
    document = { phase: "shifting" };
    assert.deepEqual(await (await fetch(`${server.url}any/path?x=1`)).json(), document);
  });

  it("answers HEAD without a body, and refuses to be told anything", async () => {
    const head = await fetch(server.url, { method: "HEAD" });
    assert.equal(head.headers.get("content-length"), String(JSON.stringify(document).length));
    assert.equal(await head.text(), "");
    for (const method of ["POST", "PUT", "DELETE"]) {
      const response = await fetch(server.url, { method, body: "x".repeat(100_000) });
      assert.equal(response.status, 405);
      assert.equal(response.headers.get("allow"), "GET, HEAD");
      await response.text();
    }
    assert.equal((await fetch(server.url)).status, 200);
  });

  it("stops although clients keep connections, one amid a request", async () => {
    await (await fetch(server.url)).text();
    const slow = connect(server.endpoint);
    slow.on("error", () => undefined);
    slow.write("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nfour");
    await once(slow, "data");
    await server.stop();
    await assert.rejects(fetch(server.url));
    server = await startStatusServer(() => document);
  });
});

describe("those who look on", () => {
  it("get a snapshot once there is one, and wake the controller", async () => {
    let snapshot: unknown = null;
    let woken = 0;
    const server = await startStatusServer(() => ({}), {
      snapshot: () => snapshot,
      wake: () => {
        woken += 1;
      },
    });
    assert.equal((await fetch(`${server.url}snapshot`)).status, 503);
    snapshot = { phase: "draining" };
    assert.deepEqual(await (await fetch(`${server.url}snapshot`)).json(), snapshot);
    assert.equal((await fetch(`${server.url}wake`, { method: "POST" })).status, 204);
    assert.equal((await fetch(`${server.url}wake`)).status, 200);
    assert.equal(woken, 1);
    await server.stop();
  });

  it("are no pages of other sites, and no names that only resolve to this machine", async () => {
    const server = await startStatusServer(() => ({}));
    const { port } = server.endpoint;
    const status = async (headers: Readonly<Record<string, string>>): Promise<number> => {
      const asked = request({ port, host: "127.0.0.1", path: "/snapshot", headers });
      const [response] = await once(asked.end(), "response");
      response.resume();
      return response.statusCode;
    };
    assert.equal(await status({ host: `localhost:${port}` }), 503);
    assert.equal(await status({ host: "evil.example" }), 403);
    assert.equal(await status({ host: `127.0.0.1:${port}`, origin: "http://evil.example" }), 403);
    await server.stop();
  });
});

describe("the document", () => {
  const plane = createControlPlane({
    clock: manualClock(),
    delays: awsDelays(() => 0, "warm"),
    store: { read: async () => null, write: async () => undefined },
    tasksMin: 2,
    before: null,
    startBurst: () => assert.fail("nothing starts here"),
  });

  it("before the first tick says where traffic goes", () => {
    for (const known of [null, plane]) {
      const { target, weights } = statusDocument(null, known) as Record<string, unknown>;
      assert.deepEqual([target, weights], ["lambda", { lambda: 100, fargate: 0 }]);
    }
  });

  it("shows what the last good tick saw, and the weights that are in force", async () => {
    const stage = newStage();
    stage.route = routeOf(50);
    stage.status = { ...stage.status, route: routeOf(50), target: "fargate" };
    Object.assign(stage, { burst: "ready", healthy: 3, burstDigest: "sha256:one" });
    const result = await tick(
      stageCloud(stage),
      { name: "stays", decide: (_, policyState) => ({ decision, policyState }) },
      stageSettings,
      stage.nowMs,
    );
    assert.deepEqual(statusDocument(result, plane), {
      target: "fargate",
      phase: "shifting",
      weights: { lambda: 100, fargate: 0 },
      stack: "ready",
      tasks: 3,
      digest: "sha256:one",
      wait: "DNS servers take over the weights",
    });
  });
  const decision = { type: "hold", reason: "stays" } as const;
});
