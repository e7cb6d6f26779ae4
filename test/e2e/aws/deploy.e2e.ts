/** `lambdaflex deploy` and `rollback` against an account on this machine, and what may go wrong. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { UpdateResult } from "../../../src/cli/deploy/update.ts";
import { changeByHand } from "../../aws/world/dns.ts";
import { pushImage } from "../../aws/world/repositories.ts";
import { assertMistake } from "../mistake.ts";
import { type Ended, type Options, run, start } from "../rig.ts";
import {
  type Account,
  app,
  digestOf,
  names,
  openAccount,
  pushed,
  serviceFolder,
  withDocker,
} from "./account.ts";

let account: Account;
beforeEach(async () => {
  account = await openAccount();
});
afterEach(() => account.stop());

const deploy = (folder: string, ...args: readonly string[]): Promise<Ended> =>
  run(folder, ["deploy", ...args], account.options);

function resultOf({ code, stdout, stderr }: Ended, expected = 0): UpdateResult {
  assert.equal(code, expected, `${stdout}\n${stderr}`);
  return JSON.parse(stdout) as UpdateResult;
}

const statusOf = (): string | undefined =>
  account.world.stacks.find(({ status }) => status !== "DELETE_COMPLETE")?.status;

/** A docker whose image has the digest of `digit`, and whose push reaches the account. */
async function dockerOf(digit: string): Promise<{
  readonly options: Options;
  readonly calls: () => string;
  readonly stop: () => void;
}> {
  const server = createServer((request, response) => {
    const tags = [(request.url ?? "").slice(1)];
    const repository = account.world.repositories.get(names.repository);
    if (repository) pushImage(repository, digestOf(digit), { tags });
    response.end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/`;
  const options = withDocker(
    account.options,
    `case "$1" in
      version) echo linux/arm64 ;;
      image) echo sha256:${"c".repeat(64)} ;;
      build) echo "#1 building" >&2 ;;
      login) read -r password; echo "password $password" >> "$DOCKER_CALLS" ;;
      push) "${process.execPath}" -e "fetch('${url}' + process.argv[1].split(':').pop())" "$3" ;;
    esac`,
  );
  const calls = (): string => readFileSync(options.env?.DOCKER_CALLS ?? "", "utf8");
  return { options, calls, stop: () => server.close() };
}

test("builds, pushes by digest and deploys; the same again changes nothing", async () => {
  const docker = await dockerOf("a");
  try {
    const folder = serviceFolder();
    const first = resultOf(await run(folder, ["deploy", "--json"], docker.options));
    const uri = `123456789012.dkr.ecr.us-east-1.amazonaws.com/${names.repository}`;
    assert.deepEqual(first, {
      ok: true,
      app,
      account: "123456789012",
      region: "us-east-1",
      image: `${uri}@${digestOf("a")}`,
      url: "https://shop.example.com",
      unchanged: false,
      burst: { state: "absent" },
      takeover: null,
      failures: [],
      leftBehind: [],
    });
    const calls = docker.calls();
    assert.match(calls, /^build --platform linux\/arm64 --provenance=false --tag \S+ \S+$/m);
    assert.match(calls, /^login --username AWS --password-stdin \S+$/m);
    assert.match(calls, /^password password$/m);
    assert.match(calls, new RegExp(`^push --quiet ${uri}:${"c".repeat(40)}$`, "m"));
    const woken = account.aws.calls.find(({ action }) => action === "Invoke");
    assert.equal(woken?.input.FunctionName, names.controllerFunction, "it makes the record");
    const made = account.aws.calls.find(({ action }) => action === "CreateRepository");
    assert.equal(made?.input.imageTagMutability, "IMMUTABLE");
    assert.deepEqual(made?.input.imageScanningConfiguration, { scanOnPush: true });
    const live = account.world.functions.get(names.appFunction);
    const version = live?.versions.get(live.aliases.get("live") ?? "");
    assert.equal(version?.imageUri, first.image);

    const again = await run(folder, ["deploy"], docker.options);
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stdout, /nothing had to change/);
    assert.equal(docker.calls().match(/^push /gm)?.length, 1, "pushed once");
  } finally {
    docker.stop();
  }
});

test("goes back to the image before, and names those it knows", async () => {
  const folder = serviceFolder();
  const back = (...args: readonly string[]): Promise<Ended> =>
    run(folder, ["rollback", ...args], account.options);
  assertMistake(await back(), "NOT_DEPLOYED", /shop is not deployed in 123456789012\/us-east-1/);
  const [a, b] = [pushed(account.world, "a"), pushed(account.world, "b")];
  resultOf(await deploy(folder, "--json", "--image", a));
  assertMistake(await back(), "PREVIOUS_IMAGE_MISSING", /no other image was deployed before/);
  resultOf(await deploy(folder, "--json", "--image", b));
  assertMistake(await back("--to", "sha256:ffffff"), "PREVIOUS_IMAGE_MISSING", /bbbbbbbbbbbb/);
  assert.equal(resultOf(await back("--json")).image, a);
  assert.equal(resultOf(await back("--json", "--to", "sha256:bbbbbbbb")).image, b);
  account.world.repositories.get(names.repository)?.images.delete(digestOf("a"));
  assertMistake(await back(), "IMAGE_NOT_FOUND", /has no longer sha256:aaaa/);
});

test("a resource that fails tells its reason, and the next deployment begins anew", async () => {
  const folder = serviceFolder();
  const image = pushed(account.world, "a");
  const reason = "Requested quota exceeded: too many tables";
  const resource = "AWS::DynamoDB::Table";
  account.world.plannedFailures.push({ resource, operation: "create", reason, times: 1 });
  const failed = await deploy(folder, "--image", image);
  assert.equal(failed.code, 1, failed.stderr);
  assert.match(
    failed.stdout,
    /^failed: ServiceTable\w+ \(AWS::DynamoDB::Table\): .*too many tables$/m,
  );
  assert.doesNotMatch(failed.stdout, /cancelled/);
  assert.equal(statusOf(), "ROLLBACK_COMPLETE");
  const again = await deploy(folder, "--image", image);
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stderr, /ROLLBACK_COMPLETE: its first creation failed, so it is removed/);
  assert.equal(statusOf(), "CREATE_COMPLETE");
});

test("a rollback that stopped is continued", async () => {
  const folder = serviceFolder();
  const { world } = account;
  resultOf(await deploy(folder, "--json", "--image", pushed(world, "a")));
  const reason = "Resource handler returned message: busy";
  const fails = { operation: "update", reason } as const;
  world.plannedFailures.push({ ...fails, resource: "AWS::Lambda::Alias", times: 1 });
  world.plannedFailures.push({ ...fails, resource: "AWS::Lambda::Function", times: 0 });
  const failed = resultOf(await deploy(folder, "--json", "--image", pushed(world, "b")), 1);
  assert.equal(failed.ok, false);
  assert.match(failed.failures[0]?.reason ?? "", /busy/);
  const stack = world.stacks.find(({ name }) => name === names.baseStack);
  assert.ok(stack);
  // As AWS leaves it when the way back fails as well.
  stack.status = "UPDATE_ROLLBACK_FAILED";
  const again = await deploy(folder, "--image", pushed(world, "b"));
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stderr, /UPDATE_ROLLBACK_FAILED: continuing the rollback, then updating/);
  assert.equal(stack.status, "UPDATE_COMPLETE");
});

test("Ctrl-C leaves, AWS goes on, and the next deployment waits for it", async () => {
  const folder = serviceFolder();
  account.aws.callMs = 1_000;
  const image = pushed(account.world, "a");
  const running = start(folder, ["deploy", "--image", image], account.options);
  await running.line(/created {2}/);
  running.kill("SIGINT");
  const left = await running.ended;
  assert.equal(left.code, 130, left.stderr);
  assert.match(left.stderr, /interrupted: .*traffic is served meanwhile.*next lambdaflex deploy/);
  assert.equal(statusOf(), "CREATE_IN_PROGRESS");
  const next = start(folder, ["deploy", "--image", image], account.options);
  await next.line(/waiting for it/);
  account.aws.callMs = 15_000;
  const again = await next.ended;
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stderr, /shop-base is CREATE_IN_PROGRESS: waiting for it/);
  assert.equal(statusOf(), "CREATE_COMPLETE");
});

describe("an image that both tiers cannot run", () => {
  const cases: readonly (readonly [string, string, string, RegExp])[] = [
    ["by tag", "123456789012.dkr.ecr.us-east-1.amazonaws.com/x:1", "IMAGE_NOT_BY_DIGEST", /:1"/],
    ["elsewhere", `docker.io/x@${digestOf("a")}`, "IMAGE_NOT_IN_ECR", /of us-east-1/],
    [
      "in another region",
      `123456789012.dkr.ecr.eu-west-1.amazonaws.com/x@${digestOf("a")}`,
      "IMAGE_NOT_IN_ECR",
      /eu-west-1/,
    ],
    [
      "that is not there",
      `123456789012.dkr.ecr.us-east-1.amazonaws.com/x@${digestOf("a")}`,
      "IMAGE_NOT_FOUND",
      /no image sha256:aaaa/,
    ],
  ];
  for (const [name, image, code, words] of cases) {
    test(name, async () => {
      assertMistake(await deploy(serviceFolder(), "--image", image), code, words);
    });
  }

  test("for another processor or system", async () => {
    const folder = serviceFolder();
    const amd64 = pushed(account.world, "a", { architecture: "amd64" });
    const ended = await deploy(folder, "--image", amd64);
    assertMistake(ended, "IMAGE_PLATFORM", /linux\/amd64, both tiers run linux\/arm64/);
    const windows = pushed(account.world, "b", { os: "windows" });
    assertMistake(await deploy(folder, "--image", windows), "IMAGE_PLATFORM", /windows\/arm64/);
  });
});

describe("without what a build needs", () => {
  test("docker is missing, or does not answer", async () => {
    const folder = serviceFolder();
    const dead = withDocker(
      account.options,
      "echo Cannot connect to the Docker daemon >&2; exit 1",
    );
    const ended = await run(folder, ["deploy"], dead);
    assertMistake(ended, "DOCKER_MISSING", /no docker engine answers: Cannot connect/);
    const none = { ...account.options, env: { ...account.options.env, PATH: "/nonexistent" } };
    assertMistake(await run(folder, ["deploy"], none), "DOCKER_MISSING", /there is no docker/);
  });

  test("the build fails, or the push does", async () => {
    const script = (failing: string): string =>
      `case "$1" in version) echo linux/arm64;; image) echo sha256:1;;
       ${failing}) echo boom >&2; exit 1;; esac`;
    const folder = serviceFolder();
    const build = await run(folder, ["deploy"], withDocker(account.options, script("build")));
    assertMistake(build, "IMAGE_BUILD_FAILED", /boom/);
    const push = await run(folder, ["deploy"], withDocker(account.options, script("push")));
    assertMistake(push, "IMAGE_PUSH_FAILED", /docker push failed: boom/);
  });
});

describe("an account that is not ready", () => {
  const refused = async (
    code: string,
    words: RegExp,
    env: Readonly<Record<string, string>> = {},
    config: Readonly<Record<string, unknown>> = {},
  ): Promise<void> => {
    const options = { ...account.options, env: { ...account.options.env, ...env } };
    assertMistake(await run(serviceFolder(config), ["deploy"], options), code, words);
    assert.equal(account.world.stacks.length, 0, "nothing was made");
  };
  const certificateArn = (region: string): string =>
    `arn:aws:acm:${region}:123456789012:certificate/00000000-0000-0000-0000-000000000001`;

  test("no credentials", () =>
    refused("AWS_CREDENTIALS_MISSING", /no AWS credentials/, {
      AWS_ACCESS_KEY_ID: "",
      AWS_SECRET_ACCESS_KEY: "",
    }));

  test("expired credentials", async () => {
    account.aws.faults = () => "expired";
    await refused("AWS_CREDENTIALS_EXPIRED", /expired/);
  });

  test("no region, or none that could be one", async () => {
    await refused("AWS_REGION_MISSING", /no AWS region is chosen/, { AWS_REGION: "" });
    await refused("AWS_REGION_MISSING", /"mars" is no AWS region/, { AWS_REGION: "mars" });
  });

  test("no answer", () =>
    refused("AWS_UNREACHABLE", /no answer from AWS/, { AWS_ENDPOINT_URL: "http://127.0.0.1:9" }));

  test("no bootstrap, or an old one", async () => {
    const { parameters } = account.world;
    parameters.set("/cdk-bootstrap/hnb659fds/version", "5");
    await refused("BOOTSTRAP_MISSING", /version 5/);
    parameters.clear();
    await refused("BOOTSTRAP_MISSING", /cdk bootstrap aws:\/\/123456789012\/us-east-1/);
  });

  test("no zone of the domain", async () => {
    await refused(
      "ZONE_NOT_FOUND",
      /no hosted zone for api\.example\.org/,
      {},
      { domain: "api.example.org" },
    );
    await refused("ZONE_NOT_FOUND", /no hosted zone Z0/, {}, { hostedZoneId: "Z00000000000" });
  });

  test("a name that leads elsewhere already", async () => {
    const [zone] = account.world.zones.values();
    assert.ok(zone);
    const Name = "shop.example.com.";
    const old = { Name, Type: "CNAME", ResourceRecords: [{ Value: "old.example.net" }] };
    changeByHand(account.world, zone, () => [old]);
    await refused("DOMAIN_TAKEN", /has records already: CNAME old\.example\.net/);
    const DNSName = "d-abc.execute-api.eu-west-1.amazonaws.com.";
    const AliasTarget = { HostedZoneId: "ZLY8", DNSName, EvaluateTargetHealth: true };
    const theirs = { Name, Type: "A", SetIdentifier: "lambda", Weight: 255, AliasTarget };
    const aaaa = { ...old, Name: "a.shop.example.com." };
    changeByHand(account.world, zone, () => [aaaa, theirs]);
    await refused("DOMAIN_TAKEN", /a deployment in eu-west-1 answers for shop\.example\.com/);
  });

  test("a certificate elsewhere, or not issued", async () => {
    const { certificates } = account.world;
    const elsewhere = { certificateArn: certificateArn("eu-west-1") };
    await refused("CERTIFICATE_REGION", /in eu-west-1, the service in us-east-1/, {}, elsewhere);
    const here = { certificateArn: certificateArn("us-east-1") };
    await refused("CERTIFICATE_INVALID", /there is no certificate/, {}, here);
    certificates.push({
      arn: here.certificateArn,
      domain: "*.example.com",
      status: "PENDING_VALIDATION",
    });
    await refused("CERTIFICATE_INVALID", /PENDING_VALIDATION, not ISSUED/, {}, here);
    certificates.splice(0, 1, { arn: here.certificateArn, domain: "other.com", status: "ISSUED" });
    await refused("CERTIFICATE_INVALID", /covers other\.com, not shop\.example\.com/, {}, here);
  });
});

test("a name that somebody else has is not touched", async () => {
  const { world } = account;
  const folder = serviceFolder();
  resultOf(await deploy(folder, "--json", "--image", pushed(world, "a")));
  const stack = world.stacks.find(({ name }) => name === names.baseStack);
  assert.ok(stack);
  Object.assign(stack, { request: { ...stack.request, tags: {} }, outputs: [] });
  const ended = await deploy(folder, "--image", pushed(world, "b"));
  assertMistake(ended, "NAME_TAKEN", /a stack shop-base exists that lambdaflex has not made/);
});

test("a stack of the user's own CDK app is left to cdk, whatever its name", async () => {
  const { world, options } = account;
  const folder = serviceFolder();
  const image = pushed(world, "a");
  resultOf(await deploy(folder, "--json", "--image", image));
  const stack = world.stacks.find(({ name }) => name === names.baseStack);
  assert.ok(stack);
  stack.request = { ...stack.request, tags: {} };
  const commands = [["deploy", "--image", image], ["diff"], ["destroy", "--yes"], ["rollback"]];
  const refused = async (words: RegExp): Promise<void> => {
    for (const args of commands) {
      const ended = await run(folder, args, options);
      assertMistake(ended, "STACK_OF_CDK", words);
      assert.match(ended.stderr, /cdk deploy, cdk diff, cdk destroy/);
    }
  };
  await refused(/stack shop-base belongs to a CDK app with a FlexService for shop/);
  Object.assign(stack, { name: "Production" });
  await refused(/shop-controller exists, and not in a stack shop-base/);
  assert.equal(statusOf(), "CREATE_COMPLETE");
  assert.ok(world.repositories.has(names.repository));
});
