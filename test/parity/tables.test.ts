/** The published tables are the ones that the checks use; `--write` as an argument renews them. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { differencesTable, rulesTable, withTable } from "../../src/parity/tables.ts";
import { root } from "../sources.ts";

const pages = [
  ["docs/check.md", "rules", rulesTable()],
  ["docs/parity.md", "differences", differencesTable()],
] as const;

for (const [page, name, table] of pages) {
  test(`${page} holds the table of ${name}`, () => {
    const path = join(root, page);
    const text = readFileSync(path, "utf8");
    const renewed = withTable(text, name, table);
    if (process.argv.includes("--write")) writeFileSync(path, renewed);
    else assert.equal(text, renewed, "node test/parity/tables.test.ts --write renews it");
    assert.ok(renewed.includes(table));
  });
}
