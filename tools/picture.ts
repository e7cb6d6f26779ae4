/**
 * Draws docs/dashboard.png: rehearses with a recording and takes the page at the height of the
 * traffic. Needs Chromium, and two minutes.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readRecording } from "../src/dashboard/record-file.ts";
import { recordsOf } from "../src/dashboard/run-history.ts";
import { startReport } from "../src/dashboard/server.ts";
import { noBrowser, openPage, startBrowser } from "../test/e2e/browser.ts";

if (noBrowser !== false) {
  console.error(noBrowser);
  process.exit(1);
}
const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "picture-"));
try {
  const [given] = process.argv.slice(2);
  const recording = given ?? join(folder, "run.ndjson");
  const command = ["src/cli/main.ts", "rehearse", "--no-web", "--record", recording];
  const rehearsed =
    given === undefined
      ? spawnSync(process.execPath, command, { cwd: root, stdio: "inherit" })
      : { status: 0 };
  if (rehearsed.status !== 0) throw new Error("the rehearsal did not succeed");
  const records = recordsOf(await readRecording(recording));
  const report = await startReport("picture", { records, assumptions: [] });
  const browser = await startBrowser();
  const { page } = await openPage(browser, report.url, { width: 1180, height: 720 });
  await page.locator("#moment").waitFor();
  // The height of the way up, where both tiers answer.
  await page.evaluate(`(() => {
    const slider = document.querySelector("#moment");
    const { min, max } = slider;
    slider.value = String(Number(min) + (Number(max) - Number(min)) * 0.27);
    slider.dispatchEvent(new Event("input"));
  })()`);
  await page.waitForTimeout(600);
  await page.screenshot({ path: join(root, "docs/dashboard.png") });
  await browser.close();
  await report.stop();
} finally {
  rmSync(folder, { recursive: true });
}
