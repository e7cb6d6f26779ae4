/** What a service may believe about its client is the same on both tiers. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ask } from "../../src/local/ask.ts";
import { startThreeWays, type ThreeWays } from "../../src/local/three-ways.ts";
import type { Fields, SeenRequest } from "../../src/parity/observed.ts";
import { echoService } from "./service.ts";

let ways: ThreeWays;

before(async () => {
  ways = await startThreeWays({ service: echoService, memoryMB: 512, vcpu: 1, timeoutMs: 5_000 });
});
after(() => ways.stop());

async function seen(tier: "lambda" | "fargate", headers: Fields): Promise<Map<string, string[]>> {
  const request = { method: "GET", target: "/echo", headers, body: null, origin: "test" };
  const answer = await ask(ways[tier], request);
  assert(answer.type === "answer");
  const told = JSON.parse(Buffer.from(answer.body).toString()) as SeenRequest;
  const found = new Map<string, string[]>();
  for (const [name, value] of told.headers) {
    const key = name.toLowerCase();
    found.set(key, [...(found.get(key) ?? []), value]);
  }
  return found;
}

test("one client address, and none that the client has written", async () => {
  const spoofed: Fields = [
    ["X-Forwarded-For", "6.6.6.6"],
    ["x-forwarded-for", "7.7.7.7, 6.6.6.6"],
    ["X-Real-IP", "6.6.6.6"],
    ["Forwarded", "for=6.6.6.6;host=evil.example"],
    ["X-Forwarded-Host", "evil.example"],
    ["X-Forwarded-Proto", "gopher"],
    ["X-Forwarded-Port", "666"],
    ["X_Forwarded_For", "6.6.6.6"],
    ["X-Amzn-Request-Context", '{"evil":1}'],
    ["X-Amz-Tenant-Id", "evil"],
  ];
  for (const tier of ["lambda", "fargate"] as const) {
    const found = await seen(tier, spoofed);
    assert.deepEqual(found.get("x-forwarded-for"), ["127.0.0.1"], tier);
    assert.deepEqual(found.get("x-forwarded-proto"), ["http"], tier);
    assert.deepEqual(found.get("x-forwarded-port"), [String(ways[tier].port)], tier);
    assert.doesNotMatch(JSON.stringify([...found]), /6\.6\.6\.6|evil|gopher|666"/, tier);
  }
});

test("the same trace id form, and a trace that AWS began goes on", async () => {
  const known = "Root=1-67891233-abcdef012345678912345678";
  for (const tier of ["lambda", "fargate"] as const) {
    const id = (await seen(tier, [])).get("x-amzn-trace-id");
    assert.match(id?.join() ?? "", /^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$/, tier);
    const kept = await seen(tier, [["X-Amzn-Trace-Id", known]]);
    assert.deepEqual(kept.get("x-amzn-trace-id"), [known], tier);
    const forged = await seen(tier, [["X-Amzn-Trace-Id", "Root=1-2-3\tevil"]]);
    assert.match(forged.get("x-amzn-trace-id")?.join() ?? "", /^Root=1-[0-9a-f-]+$/, tier);
  }
});

test("the same Host", async () => {
  for (const tier of ["lambda", "fargate"] as const) {
    assert.deepEqual((await seen(tier, [["Host", "pets.example"]])).get("host"), ["pets.example"]);
  }
});
