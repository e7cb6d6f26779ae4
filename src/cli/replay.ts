/** `lambdaflex replay FILE`: a recording in the page again, with a slider over its time. */
import { writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { type CommandDef, defineCommand } from "citty";
import { reportPage } from "../dashboard/document.ts";
import { recordsOf } from "../dashboard/run-history.ts";
import { startReport } from "../dashboard/server.ts";
import { numberOption } from "./arguments.ts";
import { interruptedCode, interruptSignal } from "./interrupt.ts";
import { openRecording } from "./recording.ts";
import { checkReport, reportUnwritable } from "./report-file.ts";
import {
  checkUnserved,
  sayAddress,
  servedAt,
  type WebAddress,
  webAddress,
  webAddressArgs,
} from "./web-address.ts";

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
    description: "Port of the page; default one that is free",
  },
  "web-host": webAddressArgs["web-host"],
  "web-name": webAddressArgs["web-name"],
  report: {
    type: "string",
    valueHint: "FILE",
    description: "Write one self-contained HTML page instead of serving it",
  },
} as const;

const command: CommandDef = defineCommand({
  meta: { name: "replay", description: "A recording in the page again, with a time slider" },
  args,
  run: ({ args: given, rawArgs }) => {
    const address = webAddress(given, rawArgs);
    const instead = "with --report, which serves no page";
    if (given.report !== undefined) checkUnserved(address, instead, "Leave one of the two out.");
    const port = numberOption("port", given.port, 0, 65_535, "whole number");
    return replay(given.file ?? "", { ...address, port }, given.report);
  },
}) as CommandDef;

export default command;

async function replay(
  file: string,
  address: WebAddress,
  report: string | undefined,
): Promise<number> {
  if (report !== undefined) await checkReport(report);
  const history = await openRecording(file);
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
  const page = await servedAt(address, (at) => startReport(title, content, at));
  sayAddress(file, page);
  await new Promise((resolve) => interrupt.signal.addEventListener("abort", resolve));
  await page.stop();
  interrupt.dispose();
  return interruptedCode;
}
