/**
 * The report of a simulation: one HTML page that carries everything in it, so that it can be
 * mailed, stored with a build and opened from a disk.
 */
import { readFileSync } from "node:fs";
import { access, constants, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { UserError } from "../config/errors.ts";
import { minuteKinds } from "../sim/report-optimum.ts";
import { dollars } from "./simulate-assumptions.ts";
import type { Course } from "./simulate-policies.ts";
import { assumptionsOf, type TableInput } from "./simulate-table.ts";

/** More points than pixels say nothing more and make the page slow. */
const pointsMax = 2400;
/** Changes of tiers that the page lists and marks for one choice. */
const transitionsMax = 1000;

/** One choice as the page shows it; arrays have one entry per point. */
interface ReportCourse {
  readonly name: string;
  readonly usd: number;
  readonly ratio: number | null;
  readonly onLambda: readonly number[];
  readonly onFargate: readonly number[];
  readonly paidUsd: readonly number[];
  /** Times when both tiers are paid: from and to in seconds, and why. */
  readonly ways: readonly (readonly [from: number, to: number, kind: string])[];
  readonly transitions: readonly (readonly [seconds: number, tier: string, reason: string])[];
  readonly transitionsInAll: number;
}

/** Everything that the page draws. */
export interface ReportData {
  readonly source: string;
  readonly kind: string;
  readonly pointMinutes: number;
  /** Start of each point, seconds. */
  readonly times: readonly number[];
  readonly meanRps: readonly number[];
  readonly peakRps: readonly number[];
  readonly breakEvenRps: number | null;
  readonly courses: readonly ReportCourse[];
  readonly assumptions: readonly string[];
}

/** Finds out before the work whether a report can be written. Throws UserError. */
export async function checkReport(path: string): Promise<void> {
  try {
    await access(dirname(path), constants.W_OK);
    const found = await stat(path).catch(() => null);
    if (found !== null && !found.isFile()) throw unwritable(path, "EISDIR");
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw unwritable(path, (error as NodeJS.ErrnoException).code);
  }
}

/** Writes the page. Throws UserError REPORT_UNWRITABLE. */
export async function writeReport(path: string, input: TableInput): Promise<void> {
  const page = reportPage(reportData(input));
  await writeFile(path, page).catch((error: NodeJS.ErrnoException) => {
    throw unwritable(path, error.code);
  });
}

function unwritable(path: string, why = "no reason given"): UserError {
  const hint = "Name a file in a folder that exists and that you may write to.";
  return new UserError("REPORT_UNWRITABLE", `cannot write ${path}: ${why}`, hint);
}

/** What the page draws, in at most `pointsMax` points. */
export function reportData(input: TableInput): ReportData {
  const { loaded, settings, simulation } = input;
  const { rps, startSeconds, source } = loaded.trace;
  const pointMinutes = Math.max(1, Math.ceil(rps.length / pointsMax));
  const points = Math.ceil(rps.length / pointMinutes);
  const each = <Value>(of: (from: number, to: number) => Value): Value[] =>
    Array.from({ length: points }, (_, point) => {
      const from = point * pointMinutes;
      return of(from, Math.min(rps.length, from + pointMinutes));
    });
  const breakEven = settings.economics.breakEvenRps;
  return {
    source,
    kind: loaded.kind,
    pointMinutes,
    times: each((from) => startSeconds + from * 60),
    meanRps: each((from, to) => digits(mean(rps.subarray(from, to)))),
    peakRps: each((from, to) => digits(rps.subarray(from, to).reduce((a, b) => Math.max(a, b), 0))),
    breakEvenRps: Number.isFinite(breakEven) ? breakEven : null,
    courses: simulation.courses.map((course) => ({
      ...served(course, rps, each),
      name: course.name,
      usd: course.paidUsd.at(-1) ?? 0,
      ratio: simulation.optimum > 0 ? (course.paidUsd.at(-1) ?? 0) / simulation.optimum : null,
      ways: waysOf(course, startSeconds),
      transitions: course.transitions
        .slice(0, transitionsMax)
        .map(({ minute, tier, reason }) => [startSeconds + minute * 60, tier, reason] as const),
      transitionsInAll: course.transitions.length,
    })),
    assumptions: assumptionsOf(input),
  };
}

type PerPoint = <Value>(of: (from: number, to: number) => Value) => Value[];

function served(
  course: Course,
  rps: Float64Array,
  each: PerPoint,
): Pick<ReportCourse, "onLambda" | "onFargate" | "paidUsd"> {
  const rate = (from: number, to: number, onFargate: boolean): number => {
    let sum = 0;
    for (let minute = from; minute < to; minute += 1) {
      const share = course.fargateShare[minute] ?? 0;
      sum += (onFargate ? share : 1 - share) * (rps[minute] ?? 0);
    }
    return digits(sum / (to - from));
  };
  return {
    onLambda: each((from, to) => rate(from, to, false)),
    onFargate: each((from, to) => rate(from, to, true)),
    paidUsd: each((_, to) => digits(course.paidUsd[to - 1] ?? 0)),
  };
}

function waysOf(course: Course, startSeconds: number): ReportCourse["ways"] {
  const ways: (readonly [number, number, string])[] = [];
  let from = 0;
  for (let minute = 1; minute <= course.kinds.length; minute += 1) {
    const kind = minuteKinds[course.kinds[from] ?? 0] ?? "lambda";
    if (course.kinds[minute] === course.kinds[from]) continue;
    const isWay = kind === "deploying" || kind === "draining";
    if (isWay && ways.length < transitionsMax) {
      ways.push([startSeconds + from * 60, startSeconds + minute * 60, kind]);
    }
    from = minute;
  }
  return ways;
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Six digits are more than a plot can show. */
function digits(value: number): number {
  return Number(value.toPrecision(6));
}

/** The whole page. Its policy forbids it to load anything. */
export function reportPage(data: ReportData): string {
  const plots = createRequire(import.meta.url).resolve("uplot/dist/uPlot.iife.min.js");
  const script = (text: string): string =>
    `<script>${text.replaceAll("</script", "<\\/script")}</script>`;
  const title = `${data.source}: what it would have cost`;
  const byCost = data.courses.toSorted((a, b) => a.usd - b.usd);
  const best = byCost.find(({ name }) => name !== "optimum");
  const optimum = byCost.find(({ name }) => name === "optimum");
  return [
    "<!doctype html>",
    '<html lang="en">',
    "<head>",
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; ' +
      "style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">",
    `<title>${escaped(title)}</title>`,
    `<style>${readFileSync(plots.replace(/iife\.min\.js$/, "min.css"), "utf8")}</style>`,
    `<style>${besideUs("simulate-report-page.css")}</style>`,
    "</head>",
    "<body>",
    "<header>",
    `<h1>${escaped(data.source)}</h1>`,
    `<p>${escaped(data.kind)}. Cheapest choice: ${escaped(best?.name ?? "")}, ` +
      `${dollars(best?.usd ?? 0)} USD over the trace; the best plan in hindsight ` +
      `(optimum): ${dollars(optimum?.usd ?? 0)} USD.</p>`,
    "</header>",
    '<main><noscript>The plots need JavaScript.</noscript><div id="report"></div>',
    "<h2>Assumed</h2>",
    `<ul>${data.assumptions.map((sentence) => `<li>${escaped(sentence)}</li>`).join("")}</ul>`,
    "</main>",
    `<script type="application/json" id="data">${jsonForHtml(data)}</script>`,
    script(readFileSync(plots, "utf8")),
    script(besideUs("simulate-report-page.js")),
    "</body>",
    "</html>",
    "",
  ].join("\n");
}

function besideUs(name: string): string {
  return readFileSync(new URL(`./${name}`, import.meta.url), "utf8");
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** JSON in which nothing can end the element that it stands in. */
function jsonForHtml(data: ReportData): string {
  return JSON.stringify(data).replaceAll("<", "\\u003c");
}
