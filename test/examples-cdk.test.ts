/** The CDK app of the examples is synthesised as its README says, by the package's own exports. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const folder = fileURLToPath(new URL("../examples/cdk-app", import.meta.url));
const built = existsSync(fileURLToPath(new URL("../dist/cdk/index.js", import.meta.url)));
const required = process.env.CI === "true";
const skip = !built && !required && "the package is not built; npm run build does it";
const out = mkdtempSync(join(tmpdir(), "lambdaflex-example-"));
after(() => rmSync(out, { recursive: true, force: true }));

const digest = `sha256:${"4f".repeat(32)}`;
const image = `111122223333.dkr.ecr.eu-west-1.amazonaws.com/pets@${digest}`;

async function synth(context: object): Promise<void> {
  // What `cdk synth` does with `node app.ts`.
  await promisify(execFile)(process.execPath, ["app.ts"], {
    cwd: folder,
    env: { PATH: process.env.PATH, CDK_OUTDIR: out, CDK_CONTEXT_JSON: JSON.stringify(context) },
  });
}

test("the app makes a stack with both tiers and one policy for them", { skip }, async () => {
  await synth({ image });
  const template = JSON.parse(readFileSync(join(out, "pets-base.template.json"), "utf8"));
  const types = Object.values<{ Type: string }>(template.Resources).map(({ Type }) => Type);
  for (const type of ["AWS::Lambda::Function", "AWS::ECS::TaskDefinition"]) {
    assert.ok(types.includes(type));
  }
  assert.equal(types.filter((type) => type === "AWS::IAM::ManagedPolicy").length, 1);
  assert.equal(template.Outputs.ImageUri.Value, image);
  assert.deepEqual(Object.keys(template.Outputs).sort(), [
    "ApiId",
    "ClusterName",
    "ControllerName",
    "ImageUri",
    "TableName",
    "Url",
  ]);
});

test("a tag instead of a digest is refused with what to write", { skip }, async () => {
  const tagged = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/pets:latest";
  await assert.rejects(synth({ image: tagged }), /IMAGE_INVALID|REPOSITORY@sha256/);
});
