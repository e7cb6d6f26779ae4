/** A real browser for the tests of the page: Debian's Chromium, driven by playwright-core. */
import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";

const places = [
  process.env.CHROMIUM ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];

/** Where a browser is, `null` without one. */
export const browserPath: string | null = places.find((path) => path && existsSync(path)) ?? null;

/** What tests say when they are left out. */
export const noBrowser: string | false =
  browserPath === null && "no Chromium here: apt-get install chromium, or set CHROMIUM";

/** A name that leads to this machine in the browser, and nowhere else. */
export const tunnelName = "page.example.test";

/** Starts it. */
export async function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: browserPath ?? "",
    args: [
      "--no-sandbox",
      "--enable-precise-memory-info",
      `--host-resolver-rules=MAP ${tunnelName} 127.0.0.1`,
    ],
  });
}

/** How a page is opened. */
export interface PageLook {
  readonly width?: number;
  readonly height?: number;
  readonly scheme?: "light" | "dark";
  readonly reducedMotion?: boolean;
  /** Where the page may ask for things. @default "localhost" */
  readonly host?: string;
}

/** A page with everything that went wrong in it. */
export interface WatchedPage {
  readonly page: Page;
  /** Errors and warnings of the console, uncaught exceptions, requests that failed. */
  readonly problems: readonly string[];
}

/** Opens an address in a fresh profile. */
export async function openPage(
  browser: Browser,
  url: string,
  look: PageLook = {},
): Promise<WatchedPage> {
  const {
    width = 1280,
    height = 800,
    scheme = "light",
    reducedMotion = false,
    host = "localhost",
  } = look;
  const page = await browser.newPage({
    viewport: { width, height },
    colorScheme: scheme,
    reducedMotion: reducedMotion ? "reduce" : "no-preference",
    acceptDownloads: false,
  });
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) problems.push(message.text());
  });
  page.on("requestfailed", (request) => problems.push(`${request.url()} failed`));
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    const ours = protocol === "data:" || protocol === "file:" || hostname === host;
    if (!ours) problems.push(`asked ${request.url()}`);
  });
  await page.goto(url);
  return { page, problems };
}
