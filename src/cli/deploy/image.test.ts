import assert from "node:assert/strict";
import { test } from "node:test";
import { ECRClient } from "@aws-sdk/client-ecr";
import fc from "fast-check";
import { startLoopback } from "../../../test/aws/loopback/server.ts";
import { addRepository } from "../../../test/aws/world/repositories.ts";
import { createWorld } from "../../../test/aws/world/world.ts";
import { UserError } from "../../config/errors.ts";
import { ensureRepository, parseImage, requirePlatform } from "./image.ts";

const region = "eu-west-1";
const digest = `sha256:${"0123456789abcdef".repeat(4)}`;
const uri = `123456789012.dkr.ecr.${region}.amazonaws.com/lambdaflex/shop`;

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof UserError) return error.code;
    throw error;
  }
  return "";
};

test("an image is named by repository and digest, a tag beside it does not matter", () => {
  const expected = {
    repository: { account: "123456789012", name: "lambdaflex/shop", uri },
    digest,
  };
  assert.deepEqual(parseImage(`${uri}@${digest}`, region), expected);
  assert.deepEqual(parseImage(`${uri}:latest@${digest}`, region), expected);
  const china = uri.replace("amazonaws.com", "amazonaws.com.cn");
  assert.equal(parseImage(`${china}@${digest}`, region).repository.uri, china);
});

test("everything else has one of two codes", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["IMAGE_NOT_BY_DIGEST", uri],
    ["IMAGE_NOT_BY_DIGEST", `${uri}:1`],
    ["IMAGE_NOT_BY_DIGEST", `${uri}@sha256:abc`],
    ["IMAGE_NOT_BY_DIGEST", `${uri}@${digest.toUpperCase()}`],
    ["IMAGE_NOT_IN_ECR", `public.ecr.aws/x/y@${digest}`],
    ["IMAGE_NOT_IN_ECR", `localhost:5000/x@${digest}`],
    ["IMAGE_NOT_IN_ECR", `${uri.replace(region, "us-east-1")}@${digest}`],
  ];
  for (const [code, text] of cases)
    assert.equal(
      codeOf(() => parseImage(text, region)),
      code,
      text,
    );
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.match(
        codeOf(() => parseImage(text, region)),
        /^IMAGE_NOT_/,
      );
    }),
  );
});

test("both tiers run linux on the processor of the configuration", () => {
  const facts = (system: string, processor: string) => ({ digest, system, processor });
  assert.equal(
    codeOf(() => requirePlatform(facts("linux", "arm64"), "arm64")),
    "",
  );
  assert.equal(
    codeOf(() => requirePlatform(facts("linux", "amd64"), "x86_64")),
    "",
  );
  for (const [system, processor] of [
    ["linux", "amd64"],
    ["windows", "arm64"],
    ["unknown", "unknown"],
  ] as const) {
    const code = codeOf(() => requirePlatform(facts(system, processor), "arm64"));
    assert.equal(code, "IMAGE_PLATFORM");
  }
});

test("a repository of the name that somebody else made is not pushed into", async (t) => {
  const world = createWorld({ seed: 4 });
  addRepository(world, "lambdaflex/shop", { team: "another" });
  const aws = await startLoopback(world);
  const before = { ...process.env };
  Object.assign(process.env, aws.environment);
  const client = new ECRClient({ region: world.region });
  t.after(async () => {
    client.destroy();
    process.env = before;
    await aws.stop();
  });
  const ensure = ensureRepository(client, "lambdaflex/shop", "shop");
  await assert.rejects(ensure, { code: "NAME_TAKEN", message: /has not made for shop/ });
  const { made } = await ensureRepository(client, "lambdaflex/pets", "pets");
  assert.equal(made, true);
  assert.equal((await ensureRepository(client, "lambdaflex/pets", "pets")).made, false);
});
