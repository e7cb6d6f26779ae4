import assert from "node:assert/strict";
import type { IncomingHttpHeaders } from "node:http";
import { describe, it } from "node:test";
import {
  admitted,
  controlRefusal,
  type Door,
  hostAllowed,
  isOpen,
  parseControl,
  passCookie,
} from "./access.ts";

const home: Door = { host: "127.0.0.1", names: [], token: null };
const lan: Door = { host: "0.0.0.0", names: [], token: "secret" };
const tunnel: Door = { host: "127.0.0.1", names: ["Page.Example.com"], token: "secret" };

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
    assert.ok(hostAllowed("box.lan:80", { ...lan, host: "box.lan" }));
    assert.ok(hostAllowed("page.example.com", tunnel));
    for (const name of ["example.com", "a.page.example.com", "10.0.0.7"]) {
      assert.ok(!hostAllowed(name, tunnel), name);
    }
  });

  it("is open to others when it is bound elsewhere, or has a name elsewhere", () => {
    for (const host of ["127.0.0.1", "localhost", "::1", "127.1.2.3"]) {
      assert.ok(!isOpen({ host, names: [] }), host);
      assert.ok(isOpen({ host, names: ["page.example.com"] }), host);
    }
    for (const host of ["0.0.0.0", "::", "10.0.0.7", "127.evil.example", "::ffff:127.0.0.1"]) {
      assert.ok(isOpen({ host, names: [] }), host);
    }
  });

  it("admits whoever brings the token or its cookie, and nobody else", () => {
    const cookie = passCookie({}, "secret", "lambdaflex-1");
    assert.match(cookie, /^lambdaflex-1=[\w-]{40,}; Path=\/; HttpOnly; SameSite=Strict$/);
    assert.doesNotMatch(cookie, /secret/);
    assert.match(passCookie({ origin: "https://a.example" }, "secret", "a"), /; Secure$/);
    const [pair = ""] = cookie.split(";");
    const enters = (headers: IncomingHttpHeaders): boolean =>
      admitted(headers, lan, "lambdaflex-1");
    assert.ok(admitted({}, home, "lambdaflex-1"), "loopback is protection enough");
    assert.ok(enters({ authorization: "Bearer secret" }));
    assert.ok(enters({ cookie: pair }));
    assert.ok(enters({ cookie: `theme=dark; ${pair}; other=1` }));
    const [other = ""] = passCookie({}, "secrets", "lambdaflex-1").split(";");
    for (const wrong of ["", "lambdaflex-1=", "lambdaflex-1=secret", other, `x${pair}`]) {
      assert.ok(!enters({ cookie: wrong }), wrong);
    }
    for (const authorization of ["", "Bearer wrong", "Bearer secrets", "secret", "Bearer "]) {
      assert.ok(!enters({ authorization }), authorization);
    }
    assert.ok(!enters({}));
  });

  it("lets only its own page control, in JSON", () => {
    const ours = {
      host: "localhost:4401",
      origin: "http://localhost:4401",
      "content-type": "application/json",
    };
    assert.equal(controlRefusal(ours), null);
    assert.equal(controlRefusal({ ...ours, origin: "https://localhost:4401" }), null);
    const strangers = ["http://evil.example", "http://localhost:4402", "null", undefined];
    for (const origin of strangers) {
      assert.match(controlRefusal({ ...ours, origin }) ?? "", /the page itself/);
    }
    assert.match(controlRefusal({ ...ours, "content-type": "text/plain" }) ?? "", /JSON/);
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
