import assert from "node:assert/strict";
import type { NetworkInterfaceInfo } from "node:os";
import { test } from "node:test";
import { type Interfaces, reachableAt } from "./reachable.ts";

const one = (address: string, internal = false, scopeid = 0): NetworkInterfaceInfo => ({
  address,
  internal,
  mac: "00:00:00:00:00:00",
  netmask: "",
  cidr: null,
  ...(address.includes(":") ? { family: "IPv6", scopeid } : { family: "IPv4" }),
});

const machine: Interfaces = {
  lo: [one("127.0.0.1", true), one("::1", true)],
  eth0: [one("fe80::1", false, 2), one("2001:db8::7"), one("10.0.0.7")],
};

test("an address is one that a browser elsewhere can open", () => {
  const told = [
    ["127.0.0.1", "localhost"],
    ["127.0.0.2", "127.0.0.2"],
    ["::1", "[::1]"],
    ["10.0.0.7", "10.0.0.7"],
    ["box.lan", "box.lan"],
    ["2001:db8::7", "[2001:db8::7]"],
    ["0.0.0.0", "10.0.0.7"],
    ["::", "10.0.0.7"],
  ] as const;
  for (const [host, shown] of told) assert.equal(reachableAt(host, machine), shown);
  assert.equal(reachableAt("::", { eth0: [one("2001:db8::7")] }), "[2001:db8::7]");
  assert.equal(reachableAt("0.0.0.0", { lo: machine.lo }), "localhost", "a machine on its own");
});
