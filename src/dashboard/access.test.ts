import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { controlRefusal, type Door, hostAllowed, parseControl } from "./access.ts";

const home: Door = { host: "127.0.0.1", token: null };
const lan: Door = { host: "0.0.0.0", token: "secret" };

describe("the door of the dashboard", () => {
  it("answers on loopback to the names of this machine and to no other", () => {
    for (const name of ["localhost", "127.0.0.1", "[::1]", "LOCALHOST", "127.9.9.9"]) {
      assert.ok(hostAllowed(`${name}:4401`, home), name);
      assert.ok(hostAllowed(name, home), name);
    }
    const foreign = [
      "evil.example",
      "localhost.evil.example",
      "127.0.0.1.evil.example",
      "10.0.0.1",
    ];
    for (const name of [...foreign, "", "local host", "localhost:99999999", "a@localhost"]) {
      assert.ok(!hostAllowed(name, home), name);
    }
    assert.ok(!hostAllowed(undefined, home));
  });

  it("believes elsewhere addresses and its own name, for a rebound name is never one", () => {
    for (const name of ["10.0.0.7", "localhost", "[fe80::1]"]) {
      assert.ok(hostAllowed(`${name}:80`, lan), name);
    }
    assert.ok(!hostAllowed("evil.example:80", lan));
    assert.ok(hostAllowed("box.lan:80", { host: "box.lan", token: "secret" }));
  });

  it("lets only its own page control, in JSON, and elsewhere with the token", () => {
    const ours = {
      host: "localhost:4401",
      origin: "http://localhost:4401",
      "content-type": "application/json",
    };
    assert.equal(controlRefusal(ours, home), null);
    const strangers = ["http://evil.example", "http://localhost:4402", "null", undefined];
    for (const origin of strangers) {
      assert.match(controlRefusal({ ...ours, origin }, home) ?? "", /the page itself/);
    }
    const form = { ...ours, "content-type": "text/plain" };
    assert.match(controlRefusal(form, home) ?? "", /JSON/);
    for (const authorization of [undefined, "", "Bearer wrong", "Bearer secrets", "secret"]) {
      assert.match(controlRefusal({ ...ours, authorization }, lan) ?? "", /token/);
    }
    assert.equal(controlRefusal({ ...ours, authorization: "Bearer secret" }, lan), null);
  });

  it("understands what a person may ask, and nothing else", () => {
    const wishes = [
      { type: "auto" },
      { type: "pin", tier: "lambda" },
      { type: "shift", tier: "fargate" },
      { type: "load", factor: 2.5 },
    ];
    for (const wish of wishes) assert.deepEqual(parseControl(JSON.stringify(wish)), wish);
    const nonsense = [
      "",
      "null",
      "[]",
      "{}",
      '{"type":"pin"}',
      '{"type":"pin","tier":"ec2"}',
      '{"type":"load","factor":5}',
      '{"type":"load","factor":"1"}',
      '{"type":"load","factor":-1}',
      '{"type":"constructor"}',
      "{",
    ];
    for (const text of nonsense) assert.equal(parseControl(text), null, text);
  });
});
