/** Measures the page: its size, its first paint, its frames with 10,000 points, and its memory. */
import type { Browser, CDPSession, Page } from "playwright-core";
import type { RunRecord, RunStream } from "../src/core/record.ts";
import { startDashboard } from "../src/dashboard/server.ts";
import { noBrowser, openPage, startBrowser } from "../test/e2e/browser.ts";
import { sampleHead, sampleRun, sampleSnapshot } from "../test/sample-run.ts";

const points = 10_000;
/** Four snapshots a second for an hour. */
const hourOfSnapshots = 4 * 3600;

const listeners = new Set<(record: RunRecord) => void>();
const stream: RunStream = {
  head: sampleHead,
  controls: [],
  subscribe(listener) {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  control: () => Promise.reject(new Error("nobody listens")),
};
const tell = (record: RunRecord): void => {
  for (const listener of listeners) listener(record);
};
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const momentOf = (at: number): number => sampleSnapshot(1).atMs + at * 15_000;

/** A snapshot that goes on after the sample's hour. */
function tellSnapshot(at: number): void {
  const shape = sampleSnapshot((at % 5000) / 5000);
  tell({ type: "snapshot", snapshot: { ...shape, atMs: momentOf(at) } });
}

/** As many snapshots as the browser can take, without leaving it behind. */
async function feed(page: Page, from: number, count: number): Promise<void> {
  const shownMs = "Number(document.querySelector('#plots').dataset.untilMs)";
  for (let at = from; at < from + count; at += 1) {
    tellSnapshot(at);
    if ((at + 1) % 200 !== 0) continue;
    while (Number(await page.evaluate(shownMs)) < momentOf(at)) await pause(20);
  }
}

async function sizes(url: string): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const encoding of ["br", "gzip"]) {
    const response = await fetch(url, { headers: { "accept-encoding": encoding } });
    found[encoding] = Number(response.headers.get("content-length"));
    await response.arrayBuffer();
  }
  return found;
}

async function firstPaints(browser: Browser, url: string): Promise<number[]> {
  const paints: number[] = [];
  for (let run = 0; run < 7; run += 1) {
    const { page } = await openPage(browser, url);
    await page.waitForSelector("canvas");
    const script = "performance.getEntriesByName('first-contentful-paint')[0].startTime";
    paints.push(Number(await page.evaluate(script)));
    await page.close();
  }
  return paints;
}

/** Real frames while each of them brings a new snapshot. */
async function frames(page: Page): Promise<{ perSecond: number; p95Ms: number; points: number }> {
  let at = points;
  const shown = (): Promise<unknown> =>
    page.evaluate("document.querySelector('#plots').dataset.points");
  const feeding = setInterval(() => {
    tellSnapshot(at);
    at += 1;
  }, 16);
  const script = `new Promise((done) => {
    const times = [];
    const next = (now) => {
      times.push(now);
      if (now - times[0] > 4000) done(times);
      else requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  })`;
  const times = (await page.evaluate(script)) as number[];
  clearInterval(feeding);
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  const sorted = gaps.toSorted((a, b) => a - b);
  const seconds = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1000;
  const p95Ms = sorted[Math.floor(sorted.length * 0.95)] ?? 0;
  return { perSecond: gaps.length / seconds, p95Ms, points: Number(await shown()) };
}

async function heapMB(session: CDPSession): Promise<number> {
  await session.send("HeapProfiler.collectGarbage");
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  return usedSize / 1e6;
}

if (noBrowser !== false) {
  console.log(`not measured: ${noBrowser}`);
} else {
  const dashboard = await startDashboard(stream);
  const browser = await startBrowser();
  for (const record of sampleRun(1000).slice(1, -1)) tell(record);
  const { br = 0, gzip = 0 } = await sizes(dashboard.url);
  console.log(`over the wire        ${br} bytes with brotli, ${gzip} with gzip (at most 120,000)`);
  const paints = await firstPaints(browser, dashboard.url);
  console.log(`first paint          ${median(paints).toFixed(0)} ms, median of 7 (at most 300)`);
  const { page, problems } = await openPage(browser, dashboard.url);
  await page.waitForSelector("canvas");
  const session = await page.context().newCDPSession(page);
  await feed(page, 0, points);
  const { perSecond, p95Ms, points: shown } = await frames(page);
  console.log(
    `frames               ${perSecond.toFixed(1)} a second with ${shown} points (at least 60)`,
  );
  console.log(`                     ${p95Ms.toFixed(1)} ms for the slowest of twenty`);
  // Twice, so that what is bounded is full before it is looked at.
  await feed(page, 20_000, hourOfSnapshots);
  const beforeMB = await heapMB(session);
  await feed(page, 20_000 + hourOfSnapshots, hourOfSnapshots);
  const afterMB = await heapMB(session);
  console.log(
    `memory               ${beforeMB.toFixed(1)} MB, ${afterMB.toFixed(1)} MB an hour later`,
  );
  console.log(`problems             ${problems.length === 0 ? "none" : problems.join("; ")}`);
  await browser.close();
  await dashboard.stop();
}
