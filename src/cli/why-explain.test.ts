import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { minute, nowMs, someReport, windowAgo } from "../../test/report-stage.ts";
import type { Outlook } from "../core/outlook.ts";
import type { Snapshot } from "../core/record.ts";
import type { Sample } from "../core/types.ts";
import { explain } from "./why-explain.ts";
import { whyLines } from "./why-text.ts";

const onFargate: Partial<Snapshot> = {
  target: "fargate",
  targetSinceMs: nowMs - 20 * minute,
  route: { lambda: 0, fargate: 100, fargateRecord: true },
  dwellUntilMs: nowMs + 30 * minute,
  lastSwitch: {
    atMs: nowMs - 20 * minute,
    to: "fargate",
    reason: "target fargate: busy-requests: 4,000 requests/min",
    actualUsd: 0.05,
    stayedUsd: 0.07,
  },
};

const lineOf = (change: Partial<Snapshot>, name: string, windows: readonly Sample[] = []): string =>
  whyLines(someReport(change, windows)).find((line) => line.startsWith(name)) ?? "";

describe("why", () => {
  test("is five lines, whatever the state", () => {
    for (const change of [{}, onFargate, { ...onFargate, policy: "break-even", alarms: [] }]) {
      const lines = whyLines(someReport(change));
      assert.deepEqual(
        lines.map((line) => line.split(" ")[0]),
        ["here", "now", "leaves", "nearest", "cost"],
      );
    }
  });

  test("names the reason once, without the target that it begins with", () => {
    assert.equal(
      lineOf(onFargate, "here"),
      "here    on Fargate for 20 m 00 s: busy-requests: 4,000 requests/min",
    );
    assert.match(lineOf({}, "here"), /from the beginning: it has never moved/);
    const forgotten = { ...onFargate, lastSwitch: { ...onFargate.lastSwitch, reason: null } };
    assert.match(lineOf(forgotten as Partial<Snapshot>, "here"), /not remembered/);
  });

  test("tells what leads away, and what does not let it yet", () => {
    assert.match(lineOf({}, "leaves"), /to Fargate at ≥ 3,000 requests\/min in 2 of 3 min, or/);
    assert.match(
      lineOf(onFargate, "leaves"),
      /to Lambda at < 300 requests\/min in 15 of 15 min; not before the minimum stay ends in 30 m/,
    );
    const pinned = { ...onFargate, override: { tier: "fargate" as const, untilMs: null } };
    assert.match(lineOf(pinned, "leaves"), /not before somebody removes the pin/);
    const backsOff = { holdUntilMs: nowMs + 5 * minute };
    assert.match(lineOf(backsOff, "leaves"), /back-off after a failure ends in 5 m/);
  });

  test("finds the nearest alarm by its newest value and its minutes", () => {
    const busy = [2, 1, 0].map((ago) => windowAgo("lambda", ago, ago === 0 ? 3600 : 100));
    assert.match(
      lineOf({}, "nearest", busy),
      /busy-requests at 75 %: 3,600 of 3,000 requests\/min, in 1 of 2 min/,
    );
    assert.match(lineOf(onFargate, "nearest"), /quiet at 100 %: 0 against less than 300/);
  });

  test("tells of a policy that reckons what it waits for, and how far that is", () => {
    const outlook = {
      requestsPerSecond: 26.4,
      withinMs: 60 * minute,
      nowRequestsPerSecond: 12,
      asNowMs: null,
    };
    const lines = (change: Partial<Snapshot>, seen: Partial<Outlook> | null): string => {
      const report = someReport({ policy: "auto", ...change });
      return whyLines({ ...report, outlook: seen && { ...outlook, ...seen } }).join("\n");
    };
    assert.match(lines({}, {}), /^leaves {2}to Fargate at ≥ 26\.4 requests\/s for 1 h 00 m$/m);
    assert.match(
      lines({}, {}),
      /^nearest stays for a day and longer at 12\.0 requests\/s as now, which is 45 % of the rate/m,
    );
    assert.match(lines({}, { asNowMs: 43 * minute }), /^nearest in 43 m 00 s at 12\.0 requests/m);
    assert.match(
      lines({ ...onFargate, policy: "auto" }, { requestsPerSecond: 8, withinMs: 360 * minute }),
      /^leaves {2}to Lambda at ≤ 8\.0 requests\/s for 6 h 00 m; not before the minimum stay/m,
    );
    assert.match(lines({}, { requestsPerSecond: null }), /at any rate for 1 h 00 m/);
    assert.match(lines({}, null), /at no steady rate within a day/);
  });

  test("says what the last switch saved or cost, and when that is not known", () => {
    assert.match(lineOf(onFargate, "cost"), /saved about 0.02000 USD in 20 m 00 s/);
    const dear = { ...onFargate.lastSwitch, actualUsd: 0.2 };
    assert.match(
      lineOf({ ...onFargate, lastSwitch: dear } as Partial<Snapshot>, "cost"),
      /cost about 0.13 USD/,
    );
    const unknown = { ...onFargate.lastSwitch, actualUsd: null };
    assert.match(
      lineOf({ ...onFargate, lastSwitch: unknown } as Partial<Snapshot>, "cost"),
      /not known/,
    );
  });
});

test("nearness is a share, and grows with the requests", () => {
  const nearness = (requests: number): number => {
    const { distances } = explain(someReport({}, [windowAgo("lambda", 0, requests)]));
    return distances.find(({ alarm }) => alarm === "busy-requests")?.nearness ?? -1;
  };
  fc.assert(
    fc.property(fc.nat(10_000), fc.nat(10_000), (a, b) => {
      const [less, more] = [nearness(Math.min(a, b)), nearness(Math.max(a, b))];
      assert.ok(less >= 0 && less <= more && more <= 1);
    }),
  );
});
