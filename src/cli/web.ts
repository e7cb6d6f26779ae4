/** The page, the recording and the report of a run on this machine. */
import { writeFile } from "node:fs/promises";
import { UserError } from "../config/errors.ts";
import type { RunStream } from "../core/record.ts";
import { reportPage } from "../dashboard/document.ts";
import { startRecording } from "../dashboard/record-file.ts";
import { followHistory, recordsOf } from "../dashboard/run-history.ts";
import { type Dashboard, startDashboard } from "../dashboard/server.ts";
import { checkReport, reportUnwritable } from "./report-file.ts";
import {
  checkUnserved,
  servedAt,
  type WebAddress,
  type WebAddressGiven,
  webAddress,
} from "./web-address.ts";

/** The options of commands that run something; `web` is true unless --no-web is given. */
export const webArgs = {
  web: {
    type: "boolean",
    default: true,
    description: "Serve the live page on this machine",
    negativeDescription: "Do not serve the live page",
  },
  record: {
    type: "string",
    valueHint: "FILE",
    description: "Write everything that happens, NDJSON",
  },
  report: {
    type: "string",
    valueHint: "FILE",
    description: "Write one self-contained HTML page at the end",
  },
} as const;

/** What was wished for on the command line. */
export interface WebWishes {
  /** Where the page is served, `null` if it is not. */
  readonly page: WebAddress | null;
  readonly record: string | undefined;
  readonly report: string | undefined;
}

/** What is needed to let people look on. */
export interface WebOptions extends WebWishes {
  /** Where the page would like to listen; another free port is taken if that is in use. */
  readonly port?: number;
  readonly say: (line: string) => void;
}

/** What `webArgs` were given. */
interface WebGiven extends WebAddressGiven {
  readonly web?: boolean | undefined;
  readonly record?: string | undefined;
  readonly report?: string | undefined;
}

/** Reads the options. Throws UserError OPTION_INVALID. */
export function webWishes(given: WebGiven, rawArgs: readonly string[]): WebWishes {
  const { web, record, report } = given;
  const page = webAddress(given, rawArgs);
  if (web === false) checkUnserved(page, "with --no-web", "Leave one of the two out.");
  return { page: web === false ? null : page, record, report };
}

/** Those who look on. */
export interface Web {
  /** Address of the page, `null` if none is served. */
  readonly url: string | null;
  /** Writes the report, closes the page and the recording. */
  stop(): Promise<void>;
}

/** Lets people look on. Throws UserError when a file cannot be written. */
export async function openWeb(stream: RunStream, options: WebOptions): Promise<Web> {
  const { say, report, record } = options;
  if (report !== undefined) await checkReport(report);
  const stops: (() => Promise<void> | void)[] = [];
  if (record !== undefined) stops.push(recordTo(stream, record, say));
  if (report !== undefined) stops.push(reportTo(stream, report, say));
  const stop = async (): Promise<void> => {
    for (const one of stops.splice(0)) await one();
  };
  if (options.page === null) return { url: null, stop };
  const page = await serve(stream, options.page, (options.port ?? 0) % 65_536);
  stops.push(page.stop);
  return { url: page.url, stop };
}

function recordTo(stream: RunStream, path: string, say: (line: string) => void): () => void {
  try {
    const ended = (why: string): void => say(`the recording ${path} ends here: ${why}`);
    return startRecording(stream, path, ended).stop;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const hint = "Name a file in a folder that exists and that you may write to.";
    throw new UserError("RECORD_UNWRITABLE", `cannot write ${path}: ${code}`, hint);
  }
}

function reportTo(
  stream: RunStream,
  path: string,
  say: (line: string) => void,
): () => Promise<void> {
  const { history, stop } = followHistory(stream);
  return async () => {
    stop();
    const { service, command } = stream.head;
    const records = recordsOf(history);
    const { html } = reportPage(`${service}: ${command}`, { records, assumptions: [] });
    await writeFile(path, html).catch((error: NodeJS.ErrnoException) => {
      throw reportUnwritable(path, error.code);
    });
    say(`report: ${path}`);
  };
}

async function serve(stream: RunStream, page: WebAddress, port: number): Promise<Dashboard> {
  return servedAt(page, async () => {
    try {
      return await startDashboard(stream, { port, ...page });
    } catch (error) {
      const wished = page.port !== undefined || port === 0;
      if (wished || (error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
      return startDashboard(stream, page);
    }
  });
}
