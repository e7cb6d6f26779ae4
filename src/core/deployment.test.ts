import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { alarmName, appNameLengthMax, deploymentNames, frontDoorMetrics } from "./deployment.ts";

describe("the names of a deployment", () => {
  test("begin with the application's, or lie in its folder", () => {
    const names = deploymentNames("shop");
    assert.equal(names.alias, "live");
    for (const [part, name] of Object.entries(names)) {
      if (part !== "alias") assert.match(name, /^shop(-|$)|^\/?lambdaflex\/shop(\/|$)/);
    }
    assert.equal(alarmName("shop", "quiet"), "shop-quiet");
  });

  test("leave room for what AWS appends to a balancer's name", () => {
    const longest = deploymentNames("a".repeat(appNameLengthMax)).burstStack;
    // 32 characters, of which a hyphen and the least suffix that is still unique are not ours.
    assert.equal(longest.length, 32 - "-".length - 10);
  });
});

describe("the front door's metrics", () => {
  test("of an HTTP API are found by its id", () => {
    assert.deepEqual(frontDoorMetrics("shop", "http", "a1b2"), {
      requests: "Count",
      errors: "5xx",
      latency: "Latency",
      dimension: { Name: "ApiId", Value: "a1b2" },
    });
  });

  test("of a REST API are found by its name", () => {
    assert.deepEqual(frontDoorMetrics("shop", "rest", "a1b2"), {
      requests: "Count",
      errors: "5XXError",
      latency: "Latency",
      dimension: { Name: "ApiName", Value: "shop-api" },
    });
  });
});
