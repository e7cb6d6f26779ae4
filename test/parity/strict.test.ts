/** In strict mode Fargate refuses what Lambda refuses, in the same words, and nothing else. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ask } from "../../src/local/ask.ts";
import { startThreeWays, type ThreeWays } from "../../src/local/three-ways.ts";
import { diffText } from "../../src/parity/compare.ts";
import type { ReplayRequest } from "../../src/parity/observed.ts";
import { differ } from "./differ.ts";
import { echoService } from "./service.ts";
import { allShapes } from "./shapes.ts";

let ways: ThreeWays;

before(async () => {
  const env = { LAMBDAFLEX_ENVELOPE: "strict", LAMBDAFLEX_TIMEOUT_SECONDS: "1" };
  const service = { ...echoService, env };
  ways = await startThreeWays({ service, memoryMB: 512, vcpu: 0.5, timeoutMs: 1_000 });
});
after(() => ways.stop());

const get = (target: string): ReplayRequest => {
  return { method: "GET", target, headers: [], body: null, origin: "test" };
};
const post = (bytes: number, type: string): ReplayRequest => {
  const headers = [["content-type", type]] as const;
  return {
    method: "POST",
    target: "/echo",
    headers,
    body: Buffer.alloc(bytes, 97),
    origin: "test",
  };
};

const refused: readonly (readonly [string, number, ReplayRequest])[] = [
  ["binary body above 4.5 MB", 413, post(5_000_000, "application/octet-stream")],
  ["text above 6 MB", 413, post(6_400_000, "text/plain")],
  ["body above 10 MB", 413, post(11_000_000, "text/plain")],
  ["head above 10 KB", 431, { ...get("/echo"), headers: [["x-large", "v".repeat(11_000)]] }],
  ["answer above 6 MB", 500, get("/answer/text?length=7000000")],
  ["binary answer above 4.5 MB", 500, get("/answer/bytes?length=5000000")],
  ["an answer that takes too long", 504, get("/slow?ms=3000")],
];

for (const [what, status, request] of refused) {
  test(`${what}: ${status} on both tiers`, async () => {
    const [lambda, fargate] = [await ask(ways.lambda, request), await ask(ways.fargate, request)];
    assert(lambda.type === "answer" && fargate.type === "answer");
    assert.deepEqual([lambda.status, fargate.status], [status, status]);
    assert.equal(String(lambda.body), String(fargate.body));
  });
}

test("what fits passes on both", async () => {
  for (const request of [
    post(4_400_000, "application/octet-stream"),
    post(5_900_000, "text/plain"),
  ]) {
    for (const tier of ["lambda", "fargate"] as const) {
      const answer = await ask(ways[tier], request);
      assert.equal(answer.type === "answer" && answer.status, 200, tier);
    }
  }
});

test("all other shapes are handed on as ever", async () => {
  const shapes = allShapes().filter(({ slow }, index) => !slow && index % 3 === 0);
  for (const shape of shapes) {
    const { unexplained } = await differ(ways, shape, "strict");
    assert.deepEqual(unexplained.map(diffText), [], shape.name);
  }
});
