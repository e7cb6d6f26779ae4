import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { type IncomingMessage, type RequestOptions, request } from "node:http";
import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { sampleHead, sampleRun, sampleSnapshot } from "../../test/sample-run.ts";
import type { Control, RunRecord, RunStream } from "../core/record.ts";
import { type Dashboard, startDashboard, startReport } from "./server.ts";

const listeners = new Set<(record: RunRecord) => void>();
const asked: Control[] = [];
const stream: RunStream = {
  head: sampleHead,
  controls: ["pin", "auto", "load"],
  subscribe(listener) {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  async control(wish) {
    if (wish.type === "load") throw new Error("no load flows");
    asked.push(wish);
    return "as you wish";
  },
};
const tell = (record: RunRecord): void => {
  for (const listener of listeners) listener(record);
};

let page: Dashboard;
let port: number;
beforeEach(async () => {
  asked.length = 0;
  page = await startDashboard(stream);
  port = Number(new URL(page.url).port);
});
afterEach(() => page.stop());

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

async function ask(path: string, options: RequestOptions = {}, body = ""): Promise<Answer> {
  const sent = request({ port, host: "127.0.0.1", path, agent: false, ...options });
  sent.end(body);
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: Buffer.concat(chunks),
  };
}

/** Opens the stream and reads until `enough` holds. */
async function follow(enough: (records: readonly RunRecord[]) => boolean): Promise<RunRecord[]> {
  const socket = connect(port, "127.0.0.1");
  // HTTP/1.0 has no chunks that could cut a line.
  socket.write("GET /events HTTP/1.0\r\nhost: localhost\r\n\r\n");
  let rest = "";
  const records: RunRecord[] = [];
  for await (const chunk of socket) {
    const lines = `${rest}${chunk}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const json = /^data: (\[.*\])\r?$/.exec(line)?.[1];
      if (json !== undefined) records.push(...(JSON.parse(json) as RunRecord[]));
    }
    if (enough(records)) break;
  }
  socket.destroy();
  return records;
}

describe("the page", () => {
  it("is one small document that may run nothing but itself", async () => {
    const plain = await ask("/");
    const packed = await ask("/", { headers: { "accept-encoding": "gzip, deflate, br" } });
    const zipped = await ask("/", { headers: { "accept-encoding": "gzip" } });
    assert.ok(packed.body.length < 60_000, `${packed.body.length} bytes with brotli`);
    assert.ok(zipped.body.length < 70_000, `${zipped.body.length} bytes with gzip`);
    assert.deepEqual(brotliDecompressSync(packed.body), plain.body);
    assert.deepEqual(gunzipSync(zipped.body), plain.body);
    const html = String(plain.body);
    const policy = String(plain.headers["content-security-policy"]);
    assert.match(policy, /default-src 'none'.*connect-src 'self'.*frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
    const scripts = [...html.matchAll(/<script(?: type="module")?>([\s\S]*?)<\/script>/g)];
    assert.equal(scripts.length, 2);
    for (const [, text = ""] of scripts) {
      const hash = createHash("sha256").update(text).digest("base64");
      assert.ok(policy.includes(`'sha256-${hash}'`));
    }
    const skeleton = html.replace(/<(script|style)[\s\S]*?<\/\1>/g, "");
    assert.doesNotMatch(skeleton, / style="| on[a-z]+="|https?:\/\/(?!www\.w3\.org)/);
  });

  it("answers HEAD without a body, and nothing that it does not know", async () => {
    const head = await ask("/", { method: "HEAD" });
    assert.deepEqual([head.status, head.body.length], [200, 0]);
    assert.equal((await ask("/other")).status, 404);
    assert.equal((await ask("/%2e%2e/package.json")).status, 404);
    assert.equal((await ask("/", { method: "DELETE" })).status, 405);
  });

  it("is not served under a foreign name: a rebound one is refused everywhere", async () => {
    for (const path of ["/", "/events"]) {
      const { status, body } = await ask(path, { headers: { host: `evil.example:${port}` } });
      assert.equal(status, 421);
      assert.ok(body.length < 100);
    }
    const headers = { ...wishHeaders(), host: "evil.example", origin: "http://evil.example" };
    const { status } = await ask("/control", { method: "POST", headers }, '{"type":"auto"}');
    assert.deepEqual([status, asked], [421, []]);
  });
});

const wishHeaders = (): Record<string, string> => ({
  host: `localhost:${port}`,
  origin: `http://localhost:${port}`,
  "content-type": "application/json",
});

describe("control", () => {
  const wish = (text: string, headers = wishHeaders()): Promise<Answer> =>
    ask("/control", { method: "POST", headers }, text);

  it("passes on what the page asks, and the reason why something can not be", async () => {
    const done = await wish('{"type":"pin","tier":"fargate"}');
    assert.deepEqual(JSON.parse(String(done.body)), { ok: true, message: "as you wish" });
    assert.deepEqual(asked, [{ type: "pin", tier: "fargate" }]);
    const not = await wish('{"type":"load","factor":2}');
    assert.deepEqual([not.status, JSON.parse(String(not.body)).message], [409, "no load flows"]);
    assert.equal((await wish('{"type":"shift","tier":"fargate"}')).status, 400, "not offered here");
    assert.equal((await wish("{")).status, 400);
    assert.equal((await wish(`"${"x".repeat(5000)}"`)).status, 413);
    assert.equal(asked.length, 1);
  });

  it("is closed to other sites, and to forms", async () => {
    const text = '{"type":"auto"}';
    const foreign = { ...wishHeaders(), origin: "http://evil.example" };
    assert.equal((await wish(text, foreign)).status, 403);
    const { origin: _, ...without } = wishHeaders();
    assert.equal((await wish(text, without)).status, 403);
    const form = { ...wishHeaders(), "content-type": "text/plain" };
    assert.equal((await wish(text, form)).status, 403);
    assert.deepEqual(asked, []);
  });
});

it("has little patience with those who do not finish asking", async () => {
  const begunMs = performance.now();
  const closed = ["", "GET / HTTP/1.1\r\nhost: localhost\r\n"].map(async (text) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("error", () => undefined);
    socket.write(text);
    socket.resume();
    await once(socket, "close");
  });
  await Promise.all(closed);
  const waitedMs = performance.now() - begunMs;
  assert.ok(waitedMs < 20_000, `${waitedMs.toFixed(0)} ms`);
});

describe("a page that others can reach", () => {
  let open: Dashboard;
  let at: { readonly port: number; readonly host: string };
  let token: string;
  beforeEach(async () => {
    open = await startDashboard(stream, { host: "0.0.0.0", names: ["page.example.com"] });
    const url = new URL(open.url);
    at = { port: Number(url.port), host: "127.0.0.1" };
    token = url.hash.replace("#token=", "");
  });
  afterEach(() => open.stop());
  const asking = (path: string, headers: Record<string, string> = {}, method = "GET") =>
    ask(path, { ...at, method, headers: { host: "page.example.com", ...headers } });

  it("has a token of its own in the address, which is in no request", () => {
    assert.match(token, /^[\w-]{24}$/);
    assert.equal(open.address, open.url.replace(/#.*/, ""));
    assert.equal(new URL(page.url).hash, "", "on loopback there is none");
  });

  it("shows strangers a door, and nothing of the run behind it", async () => {
    const door = await asking("/");
    assert.equal(door.status, 200);
    assert.match(String(door.body), /id="token"/);
    assert.ok(door.body.length < 30_000, "it comes without the plots");
    assert.doesNotMatch(String(door.body), /uPlot|id="setup"/);
    const wish = { ...wishHeaders(), host: "page.example.com", origin: "http://page.example.com" };
    for (const answer of [
      await asking("/events"),
      await asking("/other"),
      await asking("/enter", {}, "POST"),
      await asking("/enter", { authorization: "Bearer wrong" }, "POST"),
      await asking("/events", { cookie: `lambdaflex-${at.port}=${token}` }),
      await ask("/control", { ...at, method: "POST", headers: wish }, '{"type":"auto"}'),
    ]) {
      assert.equal(answer.status, 401);
      assert.match(String(answer.body), /open the whole address/);
    }
    assert.deepEqual(asked, []);
  });

  it("changes the token for a cookie, with which one may look on and control", async () => {
    const entered = await asking("/enter", { authorization: `Bearer ${token}` }, "POST");
    assert.deepEqual(JSON.parse(String(entered.body)), { ok: true });
    const [given = ""] = entered.headers["set-cookie"] ?? [];
    assert.match(given, /HttpOnly; SameSite=Strict$/);
    const cookie = given.replace(/;.*/, "");
    assert.match(String((await asking("/", { cookie })).body), /id="setup"/);
    const headers = {
      "content-type": "application/json",
      host: "page.example.com",
      origin: "https://page.example.com",
      cookie,
    };
    const wish = { ...at, method: "POST", headers };
    assert.equal((await ask("/control", wish, '{"type":"auto"}')).status, 200);
    assert.deepEqual(asked, [{ type: "auto" }]);
    const foreign = { ...headers, origin: "http://evil.example" };
    const stolen = await ask("/control", { ...wish, headers: foreign }, '{"type":"auto"}');
    assert.equal(stolen.status, 403);
    assert.equal((await asking("/", { cookie, host: "evil.example" })).status, 421);
  });

  it("keeps a report as close", async () => {
    const report = await startReport(
      "a",
      { records: sampleRun(10), assumptions: [] },
      {
        names: ["page.example.com"],
      },
    );
    try {
      const plain = await (await fetch(report.address)).text();
      assert.doesNotMatch(plain, /id="data"/);
      const authorization = `Bearer ${new URL(report.url).hash.replace("#token=", "")}`;
      const whole = await (await fetch(report.address, { headers: { authorization } })).text();
      assert.match(whole, /id="data"/);
    } finally {
      await report.stop();
    }
  });
});

describe("the stream", () => {
  it("tells a reader what was, then what happens, each record once and in order", async () => {
    const run = sampleRun(300);
    for (const record of run.slice(1, 200)) tell(record);
    let fed = 200;
    const feeding = setInterval(() => {
      const next = run[fed];
      if (next !== undefined) tell(next);
      fed += 1;
    }, 1);
    try {
      const records = await follow((seen) => seen.at(-1)?.type === "end");
      assert.deepEqual(records, run);
    } finally {
      clearInterval(feeding);
    }
  });

  it("ends for its readers when the run ends", async () => {
    const { body } = await (async () => {
      const answer = ask("/events");
      while (listeners.size < 2) await sleep(5);
      await sleep(50);
      await page.stop();
      return answer;
    })();
    assert.match(String(body), /event: end\n/);
    page = await startDashboard(stream);
  });

  it("drops a reader that stalls; the others and the engine notice nothing", async () => {
    const stalled = await stalledReader();
    const well = follow((seen) => seen.at(-1)?.type === "end");
    await sleep(50);
    const closed = once(stalled, "close");
    const snapshot = sampleSnapshot(0.5);
    const toldMs: number[] = [];
    for (let at = 0; at < 6_000; at += 1) {
      const begunMs = performance.now();
      tell({ type: "snapshot", snapshot: { ...snapshot, atMs: snapshot.atMs + at } });
      toldMs.push(performance.now() - begunMs);
      if (at % 50 === 0) await sleep(1);
    }
    tell({ type: "end", atMs: 0, ok: true, message: "over" });
    stalled.resume();
    await closed;
    const records = await well;
    assert.ok(records.filter(({ type }) => type === "snapshot").length > 5_000);
    // A busy machine may pause a few of them, a reader that is waited for would slow all.
    const slowMs = toldMs.sort((a, b) => a - b)[Math.floor(toldMs.length * 0.99)] ?? Number.NaN;
    assert.ok(slowMs < 50, `the engine waited ${slowMs.toFixed(1)} ms`);
  });

  it("is not opened by pages of other sites, which could take the readers' places", async () => {
    for (const headers of [
      { origin: "http://evil.example" },
      { "sec-fetch-site": "cross-site" },
      // Another port of this machine, such as the service itself.
      { "sec-fetch-site": "same-site" },
    ]) {
      const answer = await ask("/events", { headers: { host: `localhost:${port}`, ...headers } });
      assert.equal(answer.status, 403);
    }
  });

  it("has a bounded number of readers", async () => {
    const sockets = await Promise.all(Array.from({ length: 32 }, stalledReader));
    assert.equal((await ask("/events")).status, 503);
    for (const socket of sockets) socket.destroy();
  });
});

/** Asks for the stream and reads no more than the head of the answer. */
async function stalledReader(): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.on("error", () => undefined);
  socket.write("GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n");
  await once(socket, "data");
  socket.pause();
  return socket;
}

it("a report is served with everything in it, and has no stream", async () => {
  const report = await startReport("<sample>", { records: sampleRun(10), assumptions: [] });
  try {
    const response = await fetch(report.url);
    const html = await response.text();
    assert.match(html, /<title>&#60;sample&#62;<\/title>/);
    assert.match(String(response.headers.get("content-security-policy")), /connect-src 'none'/);
    const packed = /id="data">([^<]+)</.exec(html)?.[1] ?? "";
    const { records } = JSON.parse(String(gunzipSync(Buffer.from(packed, "base64"))));
    assert.deepEqual(records, sampleRun(10));
    assert.equal((await fetch(new URL("events", report.url))).status, 404);
  } finally {
    await report.stop();
  }
});
