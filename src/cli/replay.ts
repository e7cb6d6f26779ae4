/** `lambdaflex replay FILE`: a recording in the page again, with a slider over its time. */
import { writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { type CommandDef, defineCommand } from "citty";
import { type ErrorCode, UserError } from "../config/errors.ts";
import { RecordError } from "../core/record-lines.ts";
import { reportPage } from "../dashboard/document.ts";
import { readRecording } from "../dashboard/record-file.ts";
import { type History, recordsOf } from "../dashboard/run-history.ts";
import { startReport } from "../dashboard/server.ts";
import { numberOption } from "./arguments.ts";
import { interruptedCode, interruptSignal } from "./interrupt.ts";
import { checkReport, reportUnwritable } from "./report-file.ts";

const args = {
  file: {
    type: "positional",
    valueHint: "FILE",
    description: "A recording that was written with --record",
  },
  port: {
    type: "string",
    default: "0",
    valueHint: "N",
    description: "Where the page is served on localhost; default any free port",
  },
  report: {
    type: "string",
    valueHint: "FILE",
    description: "Write one self-contained HTML page instead of serving it",
  },
} as const;

const command: CommandDef = defineCommand({
  meta: { name: "replay", description: "A recording in the page again, with a time slider" },
  args,
  run: ({ args: given }) => {
    const port = numberOption("port", given.port, 0, 65_535, "whole number");
    return replay(given.file ?? "", port, given.report);
  },
}) as CommandDef;

export default command;

async function replay(file: string, port: number, report: string | undefined): Promise<number> {
  if (report !== undefined) await checkReport(report);
  const history = await opened(file);
  const title = `${history.head?.service ?? basename(file)}: ${history.head?.command ?? "run"}`;
  const content = { records: recordsOf(history), assumptions: [] };
  if (report !== undefined) {
    await writeFile(report, reportPage(title, content).html).catch((error) => {
      throw reportUnwritable(report, error.code);
    });
    process.stdout.write(`report: ${report}\n`);
    return 0;
  }
  const interrupt = interruptSignal();
  const page = await startReport(title, content, { port }).catch((error) => {
    if (error.code !== "EADDRINUSE") throw error;
    const hint = "Leave --port out for any free one.";
    throw new UserError("PORT_IN_USE", `port ${port} is in use`, hint);
  });
  process.stdout.write(`${file} is at ${page.url}\n`);
  await new Promise((resolve) => interrupt.signal.addEventListener("abort", resolve));
  await page.stop();
  interrupt.dispose();
  return interruptedCode;
}

async function opened(file: string): Promise<History> {
  try {
    return await readRecording(file);
  } catch (error) {
    if (error instanceof RecordError) {
      throw new UserError(error.code satisfies ErrorCode, `${file}: ${error.message}`, error.hint);
    }
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const hint = "Write one with lambdaflex rehearse --record FILE.";
    throw new UserError("RECORD_NOT_FOUND", `cannot read ${file}: ${code}`, hint);
  }
}
