import assert from "node:assert/strict";
import { test } from "node:test";
import { minute, nowMs, someReport, windowAgo } from "../../test/report-stage.ts";
import type { RunRecord } from "../core/record.ts";
import type { Override } from "../core/types.ts";
import type { Source } from "./source.ts";
import { watchedStream } from "./status-web.ts";

const event = (atMs: number): RunRecord => ({
  type: "event",
  event: { atMs, type: "decision", phase: "steady", message: "target", data: {} },
});

test("a page that looks again and again tells everything once", async () => {
  const words: (Override | null)[] = [];
  let report = someReport({}, [windowAgo("lambda", 1, 5)]);
  let past: readonly RunRecord[] = [event(nowMs - minute)];
  const source: Source = {
    report: async () => report,
    history: async () => past,
    nowMs: async () => nowMs,
    logs: () => assert.fail("nobody asks for logs"),
    override: async (word) => void words.push(word),
  };
  const stream = watchedStream(source, report);
  const seen: string[] = [];
  stream.subscribe((record) => seen.push(record.type));
  await stream.look();
  assert.deepEqual(seen.splice(0), ["event", "snapshot", "window", "snapshot"], "with its past");
  await stream.look();
  assert.deepEqual(seen.splice(0), ["snapshot"]);
  report = someReport({}, [windowAgo("lambda", 1, 5), windowAgo("lambda", 0, 5)]);
  past = [...past, event(nowMs)];
  await stream.look();
  assert.deepEqual(seen, ["event", "window", "snapshot"]);
  assert.equal(stream.head.command, "dev");
  assert.match(await stream.control({ type: "pin", tier: "fargate" }), /pinned/);
  assert.match(await stream.control({ type: "shift", tier: "lambda" }), /10 m 00 s/);
  assert.match(await stream.control({ type: "auto" }), /policy/);
  await assert.rejects(stream.control({ type: "load", factor: 2 }), /not ours/);
  assert.deepEqual(words, [
    { tier: "fargate", untilMs: null },
    { tier: "lambda", untilMs: nowMs + 10 * minute },
    null,
  ]);
});
