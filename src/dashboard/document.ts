/**
 * The page as one HTML document: skeleton, styles, scripts and, for a report, its data.
 *
 * It loads nothing, so the same document is served live and written to a file. Its content security
 * policy names the hash of each part: nothing else can run in it.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { gzipSync } from "node:zlib";
import type { Control, RunRecord } from "../core/record.ts";

/** What the page is told about itself. */
export interface PageSetup {
  readonly mode: "live" | "report";
  readonly controls: readonly Control["type"][];
}

/** One of several runs of the same load. */
export interface Choice {
  readonly name: string;
  readonly usd: number;
  /** Relative to the best plan in hindsight; `null` if that is free. */
  readonly ratio: number | null;
  readonly transitions: number;
  readonly records: readonly RunRecord[];
}

/** What a report shows: one run, or several that are compared. */
export type Report = {
  readonly assumptions: readonly string[];
  /** Rates that are worth a line across the traffic. */
  readonly lines?: readonly { readonly at: number; readonly text: string }[];
} & ({ readonly records: readonly RunRecord[] } | { readonly choices: readonly Choice[] });

/** A page and the policy that it is served with. */
export interface PageDocument {
  readonly html: string;
  readonly policy: string;
}

const styles = ["style.css", "moment.css", "course.css", "narrow.css"];

/** The page for a running system. */
export function livePage(controls: readonly Control["type"][]): PageDocument {
  return pageDocument({ mode: "live", controls }, "lambdaflex", null);
}

/** The page of a run that is over, with everything in it. */
export function reportPage(title: string, report: Report): PageDocument {
  const packed = gzipSync(JSON.stringify(report)).toString("base64");
  return pageDocument({ mode: "report", controls: [] }, title, packed);
}

/** What strangers see of a page that others can reach: nothing of the run. */
export function entrancePage(): PageDocument {
  return assembled({
    title: "lambdaflex",
    bodyClass: "",
    styles: [[...styles, "entrance.css"].map(besideUs).join("")],
    body: [besideUs("entrance.html")],
    plain: null,
    module: bundle("entrance.js"),
    connects: true,
  });
}

function pageDocument(setup: PageSetup, title: string, packed: string | null): PageDocument {
  const { plots, plotStyle, skeleton, style, script } = parts();
  const data = `<script type="application/json" id="data">${packed}</script>`;
  return assembled({
    title,
    bodyClass: "empty",
    styles: [plotStyle, style],
    body: [
      skeleton,
      `<script type="application/json" id="setup">${escapedJson(setup)}</script>`,
      ...(packed === null ? [] : [data]),
    ],
    plain: plots,
    module: script,
    connects: setup.mode === "live",
  });
}

interface Pieces {
  readonly title: string;
  readonly bodyClass: string;
  readonly styles: readonly string[];
  readonly body: readonly string[];
  /** A script that is no module, run first. */
  readonly plain: string | null;
  readonly module: string;
  /** Whether it may ask its own server for more. */
  readonly connects: boolean;
}

function assembled({ title, bodyClass, styles, body, plain, ...rest }: Pieces): PageDocument {
  const plains = plain === null ? [] : [plain];
  const policy = [
    "default-src 'none'",
    `script-src ${[...plains, rest.module].map(hashOf).join(" ")}`,
    `style-src ${styles.map(hashOf).join(" ")}`,
    "img-src data:",
    `connect-src ${rest.connects ? "'self'" : "'none'"}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const html = [
    "<!doctype html>",
    '<html lang="en">',
    "<head>",
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    `<link rel="icon" href="${icon}">`,
    `<title>${escaped(title)}</title>`,
    ...styles.map((style) => `<style>${style}</style>`),
    "</head>",
    `<body class="${bodyClass}">`,
    ...body,
    ...plains.map((script) => `<script>${script}</script>`),
    `<script type="module">${rest.module}</script>`,
    "</body>",
    "</html>",
    "",
  ].join("\n");
  return { html, policy: `${policy}; frame-ancestors 'none'` };
}

const icon =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E" +
  "%3Ccircle cx='5' cy='8' r='4' fill='%23d97320'/%3E" +
  "%3Ccircle cx='11' cy='8' r='4' fill='%232f7de1'/%3E%3C/svg%3E";

interface Parts {
  readonly plots: string;
  readonly plotStyle: string;
  readonly skeleton: string;
  readonly style: string;
  readonly script: string;
}

let read: Parts | null = null;

/** The files of the page, read once. */
function parts(): Parts {
  if (read !== null) return read;
  const plots = createRequire(import.meta.url).resolve("uplot/dist/uPlot.iife.min.js");
  read = {
    plots: readFileSync(plots, "utf8"),
    plotStyle: readFileSync(plots.replace(/iife\.min\.js$/, "min.css"), "utf8"),
    skeleton: besideUs("page.html"),
    style: styles.map(besideUs).join(""),
    script: bundle("main.js"),
  };
  return read;
}

function besideUs(name: string): string {
  return readFileSync(new URL(`./page/${name}`, import.meta.url), "utf8");
}

/** Puts modules into one script: each becomes a function that returns its exports. */
function bundle(entry: string): string {
  const done = new Map<string, string>();
  const add = (name: string): void => {
    if (done.has(name)) return;
    const text = besideUs(name);
    const imported = [...text.matchAll(importPattern)];
    for (const [, , file = ""] of imported) add(file);
    const exported = [...text.matchAll(/^export const (\w+)/gm)].map(([, word]) => word);
    const body = text
      .replace(importPattern, (_, words, file) => `const {${words}} = ${variable(file)};`)
      .replace(/^export /gm, "");
    done.set(name, `const ${variable(name)} = (() => {\n${body}return {${exported}};\n})();\n`);
  };
  add(entry);
  return [...done.values()].join("").replaceAll("</script", "<\\/script");
}

const importPattern = /^import \{([^}]*)\} from "\.\/([\w-]+\.js)";/gm;

function variable(file: string): string {
  return `${file.replace(".js", "").replaceAll("-", "_")}Module`;
}

function hashOf(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

/** Text that stays text between tags and in attributes. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** JSON in which nothing can end the element that it stands in. */
function escapedJson(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}
