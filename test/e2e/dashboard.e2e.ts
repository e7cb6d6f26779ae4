/** The page in a real browser: a whole rehearsal, `dev` with its controls, recordings, reports. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import type { RunRecord } from "../../src/core/record.ts";
import { noBrowser, openPage, startBrowser, tunnelName } from "./browser.ts";
import { blankPlots, nameless, onTop, sideways, stickingOut, tooFaint } from "./page-checks.ts";
import { eventually, makeFolder, patienceMs, type Run, run, start } from "./rig.ts";
import { goodServer, quickArgs, quickConfig, quickTrace } from "./services.ts";

const textOf = (page: Page, selector: string): Promise<string> =>
  page.locator(selector).first().innerText();

async function pageOf(process: Run): Promise<string> {
  await process.line(/the page: http:\S+\n/);
  return /the page: (http:\S+)/.exec(process.stderr)?.[1] ?? "";
}

/** Waits for a text to match, and says what it was instead. */
async function reads(page: Page, selector: string, pattern: RegExp): Promise<void> {
  await eventually(async () => {
    const text = await textOf(page, selector).catch((error: Error) => error.message);
    return pattern.test(text) || text;
  }, patienceMs);
}

/** Waits for so many elements: what is drawn or unfolded comes a moment after its event. */
async function has(page: Page, selector: string, countMin: number): Promise<void> {
  await eventually(async () => {
    const count = await page.locator(selector).count();
    return count >= countMin || `${count} × ${selector}`;
  }, patienceMs);
}

/** A moment of a recording at which an alarm rings. None comes back to Lambda without one. */
function alarmIn(file: string): number {
  const lines = readFileSync(file, "utf8").trim().split("\n");
  for (const line of lines) {
    const record = JSON.parse(line) as RunRecord;
    if (record.type !== "snapshot") continue;
    const { alarms, atMs } = record.snapshot;
    if (alarms.some(({ state }) => state === "ALARM")) return atMs;
  }
  return assert.fail("no alarm rings in the whole recording");
}

/** Moves the slider of a recording to one moment; it keeps a tenth of a millisecond at most. */
const lookAt = (atMs: number): string => `(() => {
  const slider = document.querySelector("#moment");
  slider.step = "any";
  slider.value = "${Math.ceil(atMs)}";
  slider.dispatchEvent(new Event("input"));
})()`;

/** Waits until no plot is blank: they are drawn with the next frame. */
async function isDrawn(page: Page): Promise<void> {
  await eventually(async () => {
    const blank = await page.evaluate(blankPlots);
    return blank === 0 || `${blank} blank plots`;
  }, patienceMs);
}

describe("the page", { skip: noBrowser }, () => {
  let browser: Browser;
  let folder: string;
  before(async () => {
    browser = await startBrowser();
    folder = makeFolder({
      "server.cjs": goodServer,
      "lambdaflex.json": quickConfig,
      "trace.csv": quickTrace,
    });
  });
  after(() => browser?.close());

  test("follows a whole rehearsal, changes its load, and keeps what it has seen", async () => {
    const files = ["--record", "run.ndjson", "--report", "run.html"];
    const rehearsal = start(folder, [...quickArgs, ...files]);
    const { page, problems } = await openPage(browser, await pageOf(rehearsal));
    const seen = new Set<string>();
    const note = `const phase = document.querySelector("#phase");
      const note = () => seen.push(phase.textContent);
      new MutationObserver(note).observe(phase, { childList: true });`;
    await page.evaluate(`window.seen = []; ${note}`);
    await reads(page, "#link", /^live$/);
    await page.locator("#load").waitFor({ state: "visible" });
    await page.locator("#load").focus();
    for (let press = 0; press < 5; press += 1) await page.keyboard.press("ArrowRight");
    await reads(page, "#answer", /the load is 1\.5 × the trace/);
    await reads(page, "#load-value", /1\.5 ×/);
    await reads(page, "#end", /The cycle is complete: [\d,]+ requests, 0 failed, .* USD/);
    await reads(page, "#link", /^ended$/);
    for (const phase of (await page.evaluate("seen")) as string[]) seen.add(phase);
    // The others are shorter than a busy machine may keep a page from drawing.
    assert.ok(seen.has("Steady on Fargate"), [...seen].join(", "));
    await isDrawn(page);
    await has(page, "#journal-rows tr", 6);
    for (const phase of ["Provisioning", "Shifting", "Steady on", "Draining", "Deprovisioning"]) {
      await has(page, `#lane button[aria-label*="${phase}"]`, 1);
    }
    const { code, stderr } = await rehearsal.ended;
    assert.equal(code, 0, stderr);
    assert.deepEqual(problems, []);
    await page.close();
  });

  test("shows the recording again, with a slider, by keyboard and as a table", async () => {
    const replay = start(folder, ["replay", "run.ndjson"]);
    await eventually(() => /http:\S+/.test(replay.stdout) || replay.stderr, patienceMs);
    const url = /http:\S+/.exec(replay.stdout)?.[0] ?? "";
    const { page, problems } = await openPage(browser, url);
    await page.locator("#moment").focus();
    await page.keyboard.press("Home");
    // A busy machine takes some real seconds to start, each of which is six minutes.
    await reads(page, "#moment-text", /^(\d:)?\d\d:\d\d$/);
    await reads(page, "#phase", /Steady on Lambda/);
    await reads(page, "#figures", /no balancer/);
    await page.keyboard.press("End");
    await reads(page, "#phase", /Lambda|Fargate/);
    await page.locator("#lane .phase").first().focus();
    await reads(page, "#lane-tip", /Provisioning towards Fargate, .*requests\/min/);
    assert.ok(await page.evaluate(onTop("#lane-tip")), "the reason lies over the next plot");
    await page.locator("#lane .stay.fargate").first().focus();
    await reads(page, "#lane-tip", /Steady on Fargate, .*requests\/min/);
    await page.locator("#chart-traffic .plot").focus();
    await page.keyboard.press("PageUp");
    await reads(page, "#announcer", /\d\d:\d\d: Lambda [\d.,]+ ?Fargate/);
    await page.locator("summary").click();
    await has(page, "#table tbody tr", 21);
    await page.locator("#play").click();
    await reads(page, "#play", /Pause/);
    assert.deepEqual(problems, []);
    await page.close();
    replay.kill("SIGINT");
    assert.equal((await replay.ended).code, 130);
  });

  test("is one file as a report, opened from the disk", async () => {
    const { page, problems } = await openPage(
      browser,
      pathToFileURL(join(folder, "run.html")).href,
    );
    await reads(page, "#link", /^recorded$/);
    await reads(page, "#end", /The cycle is complete/);
    await isDrawn(page);
    assert.deepEqual(problems, []);
    await page.close();
    const again = await run(folder, ["replay", "run.ndjson", "--report", "again.html"]);
    assert.equal(again.code, 0, again.stderr);
    assert.ok(readFileSync(join(folder, "again.html"), "utf8").startsWith("<!doctype html>"));
  });

  test("can be read by everybody: contrast, names, narrow screens, no motion", async () => {
    const url = pathToFileURL(join(folder, "run.html")).href;
    const ringingMs = alarmIn(join(folder, "run.ndjson"));
    for (const scheme of ["light", "dark"] as const) {
      for (const width of [1280, 390]) {
        const look = { scheme, width, reducedMotion: true };
        const { page, problems } = await openPage(browser, url, look);
        await reads(page, "#link", /^recorded$/);
        const { looked, found } = (await page.evaluate(tooFaint)) as {
          looked: number;
          found: string[];
        };
        assert.ok(looked > 60, `${looked} texts`);
        assert.deepEqual(found, [], `${scheme} ${width}`);
        assert.deepEqual(await page.evaluate(nameless), []);
        assert.equal(await page.evaluate(sideways), 0, `${width} wide`);
        // Its words are longest while an alarm rings.
        await page.evaluate(lookAt(ringingMs));
        await reads(page, "#alarms", /ALARM/);
        assert.deepEqual(await page.evaluate(stickingOut), [], `${scheme} ${width}`);
        assert.equal(await page.evaluate("document.getAnimations().length"), 0);
        assert.deepEqual(problems, []);
        await page.close();
      }
    }
  });

  test("lets nobody in from elsewhere without the token, and keeps it to itself", async () => {
    const where = ["--web-host", "0.0.0.0", "--web-name", tunnelName];
    const dev = start(folder, ["dev", "--port", "0", "--speed", "60", ...where]);
    const { port, hash } = new URL(await pageOf(dev));
    const address = `http://${tunnelName}:${port}/`;
    const stranger = await openPage(browser, address, { host: tunnelName });
    await reads(stranger.page, "#why", /Open the whole address that lambdaflex printed/);
    await stranger.page.getByLabel("Token").fill("a guess");
    await stranger.page.getByRole("button", { name: "Open" }).click();
    await reads(stranger.page, "#why", /That is not the token of this run/);
    assert.deepEqual(await stranger.page.evaluate(nameless), []);
    assert.equal(await stranger.page.locator("#phase").count(), 0);
    await stranger.page.getByLabel("Token").fill(`${address}${hash}`);
    await stranger.page.getByRole("button", { name: "Open" }).click();
    await reads(stranger.page, "#phase", /Steady on Lambda/);
    await stranger.page.close();
    const { page, problems } = await openPage(browser, `${address}${hash}`, { host: tunnelName });
    await reads(page, "#phase", /Steady on Lambda/);
    assert.equal(page.url(), address, "the token has left the address");
    assert.equal(await page.evaluate("document.cookie"), "", "no script can read the cookie");
    await page.getByRole("radio", { name: "Pin Lambda" }).check({ force: true });
    await reads(page, "#answer", /pinned to lambda/);
    // With the cookie neither a new visit nor the whole address again asks for anything.
    for (const again of [address, `${address}${hash}`]) {
      await page.goto("about:blank");
      await page.goto(again);
      await reads(page, "#phase", /Steady on Lambda/);
      assert.equal(page.url(), address);
      // Also where the page is open already, and is not loaded again.
      await page.goto(`${address}${hash}`);
      assert.equal(await page.evaluate("location.href"), address);
    }
    // Its stream breaks off where a page is left.
    assert.deepEqual(
      problems.filter((problem) => !problem.endsWith("/events failed")),
      [],
    );
    await page.close();
    const visible = await fetch(`http://127.0.0.1:${port}/events`);
    assert.equal(visible.status, 401);
    dev.kill("SIGINT");
    const { code, stdout, stderr } = await dev.ended;
    assert.equal(code, 130);
    assert.equal(stderr.split(hash).length, 2, "the token is told once");
    assert.doesNotMatch(stdout, /token/);
  });

  test("pins, shifts and lets go in dev", async () => {
    const dev = start(folder, ["dev", "--port", "0", "--speed", "360"]);
    const { page, problems } = await openPage(browser, await pageOf(dev));
    await reads(page, "#phase", /Steady on Lambda/);
    assert.equal(await page.locator("#load-row").isVisible(), false, "nobody makes load here");
    // What goes on is drawn again and again, and keeps the focus with words that go on, too.
    await page.locator("#lane .stay.lambda").first().focus();
    const told = await textOf(page, "#lane-tip");
    await eventually(async () => (await textOf(page, "#lane-tip")) !== told || told, patienceMs);
    await page.getByRole("radio", { name: "Pin Fargate" }).check({ force: true });
    await reads(page, "#answer", /pinned to fargate/);
    await reads(page, "#phase", /Provisioning Fargate|Shifting to Fargate|Steady on Fargate/);
    await reads(page, "#reason", /^By hand: Fargate, pinned/);
    await page.getByRole("radio", { name: "By policy" }).check({ force: true });
    await reads(page, "#answer", /the policy decides again/);
    await page.locator("#shift").click();
    await reads(page, "#answer", /shifts to lambda and stays/);
    await reads(page, "#journal-rows", /set by hand to lambda/i);
    dev.kill("SIGINT");
    await reads(page, "#link", /^ended$/);
    assert.deepEqual(problems, []);
    await page.close();
    assert.equal((await dev.ended).code, 130);
  });
});
