import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CloudWatchError, cloudWatchTrace } from "./trace-files-cloudwatch.ts";

const point = (Timestamp: unknown, Sum: unknown): object => ({ Timestamp, Sum, Unit: "Count" });
const statistics = (...Datapoints: object[]): object => ({ Label: "RequestCount", Datapoints });
const data = (Timestamps: unknown, Values: unknown, more: object = {}): object => ({
  MetricDataResults: [{ Id: "m1", Label: "Count", Timestamps, Values, StatusCode: "Complete" }],
  Messages: [],
  ...more,
});
const [t0, t1, t3] = ["2024-03-01T18:30:00Z", "2024-03-01T19:35:00+01:00", "2024-03-01T18:45:00Z"];

describe("CloudWatch exports", () => {
  it("of get-metric-statistics come unsorted and without empty windows", () => {
    const export_ = statistics(point(t3, 300), point(t0, 600), point(t1, 0));
    const { trace, label, missingBuckets } = cloudWatchTrace(export_, "m.json");
    assert.deepEqual([label, missingBuckets, trace.bucketSeconds], ["RequestCount", 1, 300]);
    assert.equal(trace.startSeconds, Date.UTC(2024, 2, 1, 18, 30) / 1000);
    const five = (rate: number): number[] => Array<number>(5).fill(rate);
    assert.deepEqual([...trace.rps], [...five(2), ...five(0), ...five(0), ...five(1)]);
  });

  it("of get-metric-data come newest first", () => {
    const { trace } = cloudWatchTrace(data([1_709_318_060, 1_709_318_000], [60, 120]), "m.json");
    assert.equal(trace.startSeconds, 1_709_318_000);
    assert.deepEqual([...trace.rps], [2, 1]);
  });

  const two = { MetricDataResults: [{ Label: "Count" }, { Label: "Latency" }] };
  const later = "2024-03-01T18:30:30Z";
  const faults: readonly (readonly [string, unknown, string, RegExp])[] = [
    ["another document", { Items: [] }, "CLOUDWATCH_SHAPE", /Datapoints/],
    ["a list", [1, 2], "CLOUDWATCH_SHAPE", /Datapoints/],
    ["an average", statistics({ Timestamp: t0, Average: 3 }), "CLOUDWATCH_STATISTIC", /Average/],
    ["two series", two, "CLOUDWATCH_SERIES", /Count, Latency/],
    ["a page", data([t0, t1], [1, 2], { NextToken: "x" }), "CLOUDWATCH_INCOMPLETE", /early/],
    ["uneven lists", data([t0, t1], [1]), "CLOUDWATCH_SHAPE", /one length/],
    ["no datapoint", statistics(), "TRACE_EMPTY", /0 datapoints/],
    ["one datapoint", statistics(point(t0, 5)), "TRACE_EMPTY", /1 datapoints/],
    ["no request", statistics(point(t0, 0), point(t1, 0)), "TRACE_EMPTY", /no request/],
    [
      "a time without a zone",
      statistics(point("2024-03-01T18:30", 1)),
      "TRACE_NOT_NUMERIC",
      /\[0\]/,
    ],
    ["a value in words", data([t0, t1], [1, "2"]), "TRACE_NOT_NUMERIC", /no\. 1/],
    ["less than nothing", statistics(point(t0, -1)), "TRACE_NEGATIVE", /-1 requests/],
    ["a window twice", statistics(point(t0, 1), point(t0, 2)), "TRACE_DUPLICATED", /same time/],
    ["half minutes", statistics(point(t0, 1), point(later, 2)), "TRACE_RESOLUTION", /30 s/],
    [
      "mixed periods",
      data([0, 120, 300], [1, 2, 3]),
      "TRACE_RESOLUTION",
      /no\. 2 does not fit into windows of 120 s/,
    ],
    ["a millennium", data([0, 60, 60 * 6e6], [1, 2, 3]), "TRACE_TOO_LARGE", /windows/],
  ];
  for (const [what, raw, code, words] of faults) {
    it(`refuse ${what}`, () => {
      assert.throws(
        () => cloudWatchTrace(raw, "m.json"),
        (error) => {
          assert.ok(error instanceof CloudWatchError);
          assert.equal(error.code, code, error.message);
          assert.match(error.message, words);
          assert.ok(error.hint.length > 10);
          return true;
        },
      );
    });
  }
});
