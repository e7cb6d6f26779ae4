/** `lambdaflex deploy --take-domain`: a name that is live already, without a moment of silence. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import type { UpdateResult } from "../../../src/cli/deploy/update.ts";
import { scriptedFault } from "../../aws/loopback/faults.ts";
import { changeByHand, type HostedZone, type RecordSet } from "../../aws/world/dns.ts";
import { assertMistake } from "../mistake.ts";
import { type Ended, mainFile, makeFolder, run } from "../rig.ts";
import { type Account, domain, openAccount, pushed, serviceFolder } from "./account.ts";
import { runController } from "./controller.ts";

/** Sends what is asked over TLS to a server of the test, with the names it was asked by. */
const hook = `
  import http from "node:http";
  import https from "node:https";
  import { syncBuiltinESMExports } from "node:module";
  https.request = ({ host, servername, headers, path, method, signal }) => http.request({
    host: "127.0.0.1", port: process.env.PROBE_PORT, path, method, signal, agent: false,
    headers: { ...headers, "x-address": host, "x-server-name": servername },
  });
  syncBuiltinESMExports();
`;

const Name = `${domain}.`;
const oldA = { Name, Type: "A", TTL: 300, ResourceRecords: [{ Value: "192.0.2.7" }] };
const oldAaaa = { Name, Type: "AAAA", TTL: 60, ResourceRecords: [{ Value: "2001:db8::7" }] };
const mail = { Name, Type: "TXT", TTL: 60, ResourceRecords: [{ Value: '"v=spf1 -all"' }] };

let account: Account;
let zone: HostedZone;
/** Every state that the zone was in. */
let states: (readonly RecordSet[])[];
let probes: { readonly headers: IncomingHttpHeaders; readonly url: string }[];
/** How often the API does not answer yet. */
let unready: number;
let api: Server;
beforeEach(async () => {
  account = await openAccount();
  const [only] = account.world.zones.values();
  assert.ok(only);
  zone = only;
  states = [];
  let current = zone.records;
  Object.defineProperty(zone, "records", {
    get: () => current,
    set: (records: readonly RecordSet[]) => {
      current = records;
      states.push(records);
    },
  });
  probes = [];
  unready = 0;
  api = createServer(({ headers, url = "" }, response) => {
    probes.push({ headers, url });
    unready -= 1;
    response.writeHead(unready >= 0 ? 503 : 200).end();
  }).listen(0, "127.0.0.1");
  await once(api, "listening");
});
afterEach(async () => {
  api.close();
  await account.stop();
});

function lambdaflex(folder: string, ...args: readonly string[]): Promise<Ended> {
  const file = join(makeFolder({ "hook.mjs": hook }), "hook.mjs");
  const PROBE_PORT = String((api.address() as AddressInfo).port);
  const env = { ...account.options.env, PROBE_PORT };
  return run(folder, args, { env, command: [process.execPath, "--import", file, mainFile] });
}

const take = (folder: string, image: string): Promise<Ended> =>
  lambdaflex(folder, "deploy", "--take-domain", "--json", "--image", image);

function resultOf({ code, stdout, stderr }: Ended, expected = 0): UpdateResult {
  assert.equal(code, expected, `${stdout}\n${stderr}`);
  return JSON.parse(stdout) as UpdateResult;
}

const atName = (records: readonly RecordSet[]): readonly RecordSet[] =>
  records.filter((record) => record.Name === Name);

const shown = (records: readonly RecordSet[]): readonly string[] =>
  atName(records).map(
    ({ Type, SetIdentifier = "", Weight = "" }) => `${Type} ${SetIdentifier}${Weight}`,
  );

/** The records that a printed command makes, or removes. */
function recordsIn(command: string, action: string): readonly unknown[] {
  const batch = JSON.parse(/--change-batch '(.*)'$/.exec(command)?.[1] ?? "");
  const changes = batch.Changes as { Action: string; ResourceRecordSet: unknown }[];
  return changes.filter((one) => one.Action === action).map((one) => one.ResourceRecordSet);
}

test("the API answers first, then one change moves the name; then it is ours", async () => {
  changeByHand(account.world, zone, () => [oldA, oldAaaa, mail]);
  const folder = serviceFolder();
  const image = pushed(account.world, "a");
  unready = 3;
  account.aws.callMs = 1_000;
  const controller = runController(account);
  let first: UpdateResult;
  try {
    first = resultOf(await take(folder, image));
  } finally {
    await controller.stop();
  }
  const log = controller.log.join("\n");
  assert.doesNotMatch(log, /tick failed/, "the controller waits for the name");
  assert.match(log, /steady/, "and is at work meanwhile");
  assert.equal(probes.length, 4);
  for (const { headers, url } of probes) {
    assert.deepEqual([headers.host, headers["x-server-name"], url], [domain, domain, "/"]);
    assert.match(String(headers["x-address"]), /\.execute-api\.us-east-1\.amazonaws\.com$/);
  }
  for (const state of states) {
    const answering = atName(state).filter(({ Type }) => Type === "A" || Type === "CNAME");
    assert.notEqual(answering.length, 0, "the name always has an answer");
  }
  assert.deepEqual(shown(states.at(-2) ?? []), ["A ", "AAAA ", "TXT "], "one change alone");
  assert.deepEqual(shown(zone.records), ["TXT ", "A lambda255"]);
  assert.ok(first.takeover?.ok);
  assert.equal(first.takeover.former, "A 192.0.2.7 for 300 s; AAAA 2001:db8::7 for 60 s");
  assert.equal(first.takeover.keepSeconds, 360);
  assert.deepEqual(recordsIn(first.takeover.undo, "CREATE"), [oldA, oldAaaa]);
  assert.equal(recordsIn(first.takeover.undo, "DELETE").length, 1);

  const changes = states.length;
  account.aws.callMs = 15_000;
  const again = resultOf(await take(folder, image));
  assert.deepEqual([again.takeover, again.unchanged], [null, true]);
  assert.equal(states.length, changes, "nothing is left to move");

  const ended = await lambdaflex(folder, "destroy", "--yes");
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stdout, /before lambdaflex the domain led to A 192\.0\.2\.7 for 300 s; AAAA/);
  const command = /to restore it: (.*)$/m.exec(ended.stdout)?.[1] ?? "";
  assert.deepEqual(recordsIn(command, "CREATE"), [oldA, oldAaaa]);
  assert.deepEqual(recordsIn(command, "DELETE"), []);
});

test("a change that is refused leaves the name; one whose answer is lost counts", async () => {
  const old = { Name, Type: "CNAME", TTL: 300, ResourceRecords: [{ Value: "old.example.net" }] };
  changeByHand(account.world, zone, () => [old]);
  const folder = serviceFolder();
  const image = pushed(account.world, "a");
  account.aws.faults = ({ action }) => (action === "ChangeResourceRecordSets" ? "denied" : null);
  const failed = resultOf(await take(folder, image), 1);
  assert.ok(failed.takeover?.ok === false);
  assert.match(failed.takeover.reason, /refused to replace the records, which lead where they led/);
  assert.deepEqual(atName(zone.records), [old]);
  account.aws.faults = scriptedFault("ChangeResourceRecordSets", "breaks-after");
  const done = resultOf(await take(folder, image));
  assert.equal(done.takeover?.ok, true);
  assert.deepEqual(shown(zone.records), ["A lambda255"]);
});

test("what leads elsewhere is told ahead, and what is not simple is left alone", async () => {
  const folder = serviceFolder();
  changeByHand(account.world, zone, () => [oldAaaa]);
  const image = pushed(account.world, "a");
  const taken = await lambdaflex(folder, "deploy", "--image", image);
  assertMistake(taken, "DOMAIN_TAKEN", /AAAA 2001:db8::7 for 60 s/);
  assert.match(taken.stderr, /lambdaflex deploy --take-domain/);
  const doctor = await lambdaflex(folder, "doctor");
  assert.match(doctor.stdout, /fix: .*deploy --take-domain/);
  const diff = await lambdaflex(folder, "diff");
  assert.match(diff.stdout, /deploy --take-domain replaces\nAAAA 2001:db8::7 for 60 s\n/);
  const blue = { Name, Type: "A", SetIdentifier: "blue", Weight: 1, TTL: 60 };
  changeByHand(account.world, zone, () => [{ ...blue, ResourceRecords: oldA.ResourceRecords }]);
  assertMistake(await take(folder, image), "DOMAIN_NOT_SIMPLE", /routing policy: A 192.*\(blue\)/);
  assertMistake(await take(serviceFolder({ domain: null }), image), "DOMAIN_MISSING", /no domain/);
  assert.equal(account.world.stacks.length, 0, "nothing was made");
});
