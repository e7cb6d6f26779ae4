import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { UserError } from "../../config/errors.ts";
import { measured } from "./assembly.ts";

test("a template is measured, and refused when CloudFormation would refuse it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lambdaflex-template-"));
  try {
    const file = join(folder, "shop-base.template.json");
    writeFileSync(file, "x".repeat(1_000_000));
    assert.deepEqual(await measured("shop-base", file), {
      stack: "shop-base",
      file,
      bytes: 1_000_000,
    });
    writeFileSync(file, "x".repeat(1_000_001));
    await assert.rejects(measured("shop-base", file), (error) => {
      assert.ok(error instanceof UserError);
      assert.equal(error.code, "TEMPLATE_TOO_LARGE");
      assert.match(error.message, /1000001 bytes, CloudFormation takes 1000000/);
      return true;
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
