import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { minute, nowMs, someReport, windowAgo } from "../../test/report-stage.ts";
import type { Paint } from "./screen.ts";
import { perMinute, statusLine, statusLines } from "./status-text.ts";

const plain: Paint = (_style, text) => text;
const textOf = (...given: Parameters<typeof someReport>): string =>
  statusLines(someReport(...given), plain).join("\n");

describe("a status", () => {
  test("says where it looks, and every fact that is known", () => {
    const text = textOf({}, [windowAgo("lambda", 0, 60)]);
    for (const words of [
      "shop · dev on this machine, process 7",
      "steady, target Lambda",
      "Lambda 100 %",
      "3 environments",
      "sha256:0123456789ab",
      "≤ 60/min",
      "60, rings ≥ 3,000 requests/min in 2 of 3 min, now in 0",
      "nothing; the policy decides",
      "it has never moved",
      "not counted",
    ]) {
      assert.ok(text.includes(words), `${words} in\n${text}`);
    }
  });

  test("counts one environment as one", () => {
    const { tiers } = someReport().snapshot;
    const one = { ...tiers, lambda: { ...tiers.lambda, running: 1 } };
    assert.match(textOf({ tiers: one }), /\b1 environment\b/);
  });

  test("counts a wait and a word of the owner down", () => {
    const text = textOf({
      wait: { kind: "ttl", message: "2 × TTL, for late resolvers", leftMs: 74_000 },
      override: { tier: "fargate", untilMs: nowMs + 5 * minute },
    });
    assert.match(text, /for ttl: 2 × TTL, for late resolvers, 1 m 14 s left/);
    assert.match(text, /shifted to Fargate, 5 m 00 s left/);
  });

  test("is one line for logs and pipes", () => {
    assert.equal(
      statusLine(someReport()),
      "2026-03-01 12:00:00 steady: weights 100/0, 1 + 1 requests/s, 0 tasks; for nothing; " +
        "the policy says: 60 requests/min, bursts at 3,000 in 2 of 3 minutes",
    );
  });
});

describe("traffic by the minute", () => {
  test("has a value for each of the last 60 minutes, the newest last", () => {
    const windows = [
      windowAgo("lambda", 0, 5),
      windowAgo("lambda", 59, 7),
      windowAgo("fargate", 1, 9),
    ];
    const values = perMinute(windows, "lambda", nowMs);
    assert.equal(values.length, 60);
    assert.deepEqual([values[0], values[58], values[59]], [7, 0, 5]);
  });

  test("leaves out what is older, and what has not ended", () => {
    const windows = [
      windowAgo("lambda", 60, 5),
      windowAgo("fargate", 0, 5),
      windowAgo("lambda", -1, 5),
    ];
    assert.deepEqual(new Set(perMinute(windows, "lambda", nowMs)), new Set([0]));
  });

  test("ends with the newest minute of either tier that is reported", () => {
    const windows = [windowAgo("lambda", 3, 5), windowAgo("fargate", 2, 9)];
    const [lambda, fargate] = (["lambda", "fargate"] as const).map((tier) =>
      perMinute(windows, tier, nowMs).slice(-2),
    );
    assert.deepEqual(
      [lambda, fargate],
      [
        [5, 0],
        [0, 9],
      ],
    );
    assert.deepEqual(new Set(perMinute([], "lambda", nowMs)), new Set([0]));
  });
});
