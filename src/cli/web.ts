/** The page, the recording and the report of a run on this machine. */
import { writeFile } from "node:fs/promises";
import { UserError } from "../config/errors.ts";
import type { RunStream } from "../core/record.ts";
import { reportPage } from "../dashboard/document.ts";
import { startRecording } from "../dashboard/record-file.ts";
import { followHistory, recordsOf } from "../dashboard/run-history.ts";
import { type Dashboard, startDashboard } from "../dashboard/server.ts";
import { checkReport, reportUnwritable } from "./report-file.ts";

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

/** What was wished for. */
export interface WebOptions {
  readonly web: boolean;
  /** Where the page would like to listen; another free port is taken if that is in use. */
  readonly port?: number;
  readonly record: string | undefined;
  readonly report: string | undefined;
  readonly say: (line: string) => void;
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
  const page = options.web ? await serve(stream, (options.port ?? 0) % 65_536) : null;
  if (page !== null) stops.push(page.stop);
  return {
    url: page?.url ?? null,
    async stop() {
      for (const stop of stops.splice(0)) await stop();
    },
  };
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

async function serve(stream: RunStream, port: number): Promise<Dashboard> {
  try {
    return await startDashboard(stream, { port });
  } catch (error) {
    if (port === 0 || (error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    return startDashboard(stream);
  }
}
