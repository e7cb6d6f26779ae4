/** `lambdaflex doctor` against an account on this machine; `synth` and `diff` beside it. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { Finding } from "../../../src/cli/doctor/finding.ts";
import { addZone } from "../../aws/world/dns.ts";
import { type Ended, type Options, run } from "../rig.ts";
import { type Account, openAccount, pushed, serviceFolder, withDocker } from "./account.ts";

let account: Account;
let options: Options;
beforeEach(async () => {
  account = await openAccount();
  options = withDocker(account.options, "echo linux/arm64");
});
afterEach(() => account.stop());

async function findings(
  expected: number,
  config: Readonly<Record<string, unknown>> = {},
  more: Options = options,
): Promise<ReadonlyMap<string, Finding>> {
  const ended = await run(serviceFolder(config), ["doctor", "--json"], more);
  assert.equal(ended.code, expected, `${ended.stdout}\n${ended.stderr}`);
  const { ok, findings: all } = JSON.parse(ended.stdout) as { ok: boolean; findings: Finding[] };
  assert.equal(ok, expected === 0);
  for (const { level, what, why, fix } of all) {
    assert.notEqual(what, "");
    if (level !== "ok") assert.ok(why !== "" && fix !== "", what);
  }
  return new Map(all.map((finding) => [finding.check, finding]));
}

test("an account that is ready has nothing in the way", async () => {
  const all = await findings(0);
  const checks = "credentials region bootstrap domain certificate name image concurrency";
  assert.deepEqual(
    [...all.keys()],
    [...checks.split(" "), "fargate quota", "service roles", "docker"],
  );
  for (const { level, what } of all.values()) assert.equal(level, "ok", what);
  const ended = await run(serviceFolder(), ["doctor"], options);
  assert.match(ended.stdout, /^ok {4}domain +shop\.example\.com in the public zone example\.com/m);
  assert.match(ended.stdout, /^nothing in the way of a deployment, 0 to look at$/m);
});

test("what is scarce is a warning, with the way to more of it", async () => {
  account.world.concurrencyQuota = 10;
  account.world.vcpuQuota = 1;
  account.world.roles.delete("AWSServiceRoleForECS");
  const all = await findings(0);
  assert.match(all.get("concurrency")?.fix ?? "", /request-service-quota-increase.*L-B99A9384/);
  assert.match(all.get("fargate quota")?.what ?? "", /^1 Fargate processors, .* may use 5$/);
  assert.match(all.get("service roles")?.what ?? "", /missing: AWSServiceRoleForECS$/);
  for (const check of ["concurrency", "fargate quota", "service roles"]) {
    assert.equal(all.get(check)?.level, "warn", check);
  }
  const without = await findings(0, { domain: null });
  assert.equal(without.get("domain")?.level, "warn");
});

describe("what is in the way", () => {
  test("a zone that is missing, another region's certificate, an old bootstrap", async () => {
    account.world.parameters.set("/cdk-bootstrap/hnb659fds/version", "3");
    const id = "00000000-0000-0000-0000-000000000001";
    const certificateArn = `arn:aws:acm:eu-west-1:123456789012:certificate/${id}`;
    const all = await findings(1, { certificateArn });
    assert.equal(all.get("domain")?.code, "CERTIFICATE_REGION");
    assert.equal(all.get("bootstrap")?.code, "BOOTSTRAP_MISSING");
    account.world.zones.clear();
    assert.equal((await findings(1)).get("domain")?.code, "ZONE_NOT_FOUND");
    addZone(account.world, "shop.example.com");
    assert.equal((await findings(1)).get("domain")?.level, "ok");
  });

  test("credentials and docker: the rest is told all the same", async () => {
    account.aws.faults = () => "expired";
    const dead = withDocker(account.options, "exit 1");
    const all = await findings(1, {}, dead);
    assert.deepEqual(
      [...all.values()].map(({ code }) => code),
      ["AWS_CREDENTIALS_EXPIRED", "DOCKER_MISSING"],
    );
  });

  test("what may not be looked at is a warning", async () => {
    account.aws.faults = ({ action }) => (action === "GetServiceQuota" ? "denied" : null);
    assert.equal((await findings(0)).get("fargate quota")?.level, "warn");
  });

  test("an engine of another processor", async () => {
    const all = await findings(0, {}, withDocker(account.options, "echo linux/amd64"));
    assert.match(
      all.get("docker")?.what ?? "",
      /linux\/amd64, the image is built for linux\/arm64/,
    );
  });
});

describe("templates", () => {
  const json = ({ stdout }: Ended): Record<string, unknown> =>
    JSON.parse(stdout) as Record<string, unknown>;

  test("synth writes both without an account; without a domain one", async () => {
    const folder = serviceFolder();
    const begun = performance.now();
    const ended = await run(folder, ["synth", "--out", "out", "--json"], {
      env: { AWS_ENDPOINT_URL: "http://127.0.0.1:9", AWS_ACCESS_KEY_ID: "" },
    });
    const tookMs = performance.now() - begun;
    assert.equal(ended.code, 0, ended.stderr);
    const { templates } = json(ended) as {
      templates: { stack: string; file: string; bytes: number }[];
    };
    assert.deepEqual(
      templates.map(({ stack }) => stack),
      ["shop-base", "shop-burst"],
    );
    for (const { file, bytes } of templates) {
      assert.equal(readFileSync(file).length, bytes);
      assert.ok(JSON.parse(readFileSync(file, "utf8")).Resources, file);
    }
    process.stdout.write(`synth took ${Math.round(tookMs)} ms\n`);
    const alone = await run(serviceFolder({ domain: null }), ["synth"]);
    assert.match(alone.stdout, /no burst template: there is no domain/);
    assert.equal(existsSync(join(folder, "out", "manifest.json")), true);
  });

  test("diff tells what would change, permissions apart, and fails when asked to", async () => {
    const folder = serviceFolder();
    const fresh = await run(folder, ["diff"], options);
    assert.equal(fresh.code, 0, fresh.stderr);
    assert.match(fresh.stdout, /^permissions or open ports change.*\nStack shop-base/);
    assert.equal(fresh.stdout.match(/^Stack shop-base/gm)?.length, 1, "told once");
    const { security } = json(await run(folder, ["diff", "--json"], options));
    const lines = security as readonly string[];
    const publishing = /^\+ {2}\S+Topic\S* {2}Allow {2}sns:Publish {2}AWS:\S+Role\S*$/;
    assert.ok(
      lines.some((line) => publishing.test(line)),
      lines.join("\n"),
    );
    assert.ok(
      lines.some((line) => /BalancerGroup.* In {2}TCP 443 {2}Everyone/.test(line)),
      lines.join("\n"),
    );
    const image = pushed(account.world, "a");
    assert.equal((await run(folder, ["deploy", "--image", image], options)).code, 0);
    const same = await run(folder, ["diff", "--fail"], options);
    assert.deepEqual([same.code, same.stdout], [0, "shop: nothing would change\n"]);
    const other = pushed(account.world, "b");
    const changed = await run(folder, ["diff", "--fail", "--json", "--image", other], options);
    assert.equal(changed.code, 1, changed.stderr);
    const { different, text, security: none } = json(changed);
    assert.deepEqual([different, none], [true, []], "another image is no other permission");
    assert.match(String(text), /AWS::Lambda::Function Service\/Function/);
  });
});
