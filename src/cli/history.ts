/** `lambdaflex history`: every decision with its numbers, the newest last. */
import { type CommandDef, defineCommand } from "citty";
import { durationOption, numberOption } from "./arguments.ts";
import { awsArgs } from "./aws/options.ts";
import { historyLine } from "./history-text.ts";
import { painter } from "./screen.ts";
import { openSource, sourceArgs } from "./source.ts";

const args = {
  ...sourceArgs,
  ...awsArgs,
  since: { type: "string", valueHint: "SPAN", description: "Not older than 30m, 2h or 7d" },
  limit: { type: "string", default: "50", valueHint: "N", description: "The newest lines" },
  json: { type: "boolean", description: "One JSON object a line" },
} as const;

const command: CommandDef = defineCommand({
  meta: { name: "history", description: "Every decision with its numbers, the newest last" },
  args,
  async run({ args: given }) {
    const limit = numberOption("limit", given.limit, 1, 100_000, "whole number");
    const spanMs = given.since === undefined ? null : durationOption("since", given.since);
    const source = await openSource(given);
    const sinceMs = spanMs === null ? null : (await source.nowMs()) - spanMs;
    const records = await source.history(sinceMs, limit);
    const paint = painter(process.stdout);
    const lines = records.map((record) =>
      given.json ? JSON.stringify(record) : (historyLine(record, paint) ?? ""),
    );
    process.stdout.write(lines.map((line) => `${line}\n`).join(""));
    if (lines.length === 0 && !given.json) process.stderr.write("nothing has happened yet\n");
    return 0;
  },
}) as CommandDef;

export default command;
