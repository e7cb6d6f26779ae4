/** `lambdaflex logs`: what the service says on both tiers, in the order of time. */
import { setTimeout as sleep } from "node:timers/promises";
import { type CommandDef, defineCommand } from "citty";
import type { Tier } from "../core/types.ts";
import type { LogLine } from "../local/run-files.ts";
import { choiceOption, durationOption, numberOption } from "./arguments.ts";
import { awsArgs } from "./aws/options.ts";
import { interruptedCode, interruptSignal } from "./interrupt.ts";
import { type Paint, painter } from "./screen.ts";
import { type LogReader, openSource, sourceArgs } from "./source.ts";
import { clockTime } from "./status-text.ts";

const args = {
  ...sourceArgs,
  ...awsArgs,
  follow: { type: "boolean", description: "Go on with what is said from now on, until Ctrl-C" },
  since: { type: "string", valueHint: "SPAN", description: "Not older than 30m, 2h or 7d" },
  tier: { type: "string", valueHint: "lambda|fargate", description: "Only this one" },
  limit: { type: "string", default: "1000", valueHint: "N", description: "The newest lines" },
  json: { type: "boolean", description: "One JSON object a line" },
} as const;

const command: CommandDef = defineCommand({
  meta: { name: "logs", description: "What the service says on both tiers, in order of time" },
  args,
  async run({ args: given }) {
    const limit = numberOption("limit", given.limit, 1, 1_000_000, "whole number");
    const spanMs = given.since === undefined ? null : durationOption("since", given.since);
    const tier = choiceOption("tier", given.tier, ["lambda", "fargate"] as const);
    const source = await openSource(given);
    const sinceMs = spanMs === null ? null : (await source.nowMs()) - spanMs;
    const write = writer(given.json === true);
    const reader = await source.logs({ sinceMs, tier });
    try {
      for (const line of (await reader.next()).slice(-limit)) write(line);
      return given.follow === true ? await follow(reader, write) : 0;
    } finally {
      await reader.close();
    }
  },
}) as CommandDef;

export default command;

/** Real time between two looks. */
const followMs = 250;

async function follow(reader: LogReader, write: (line: LogLine) => void): Promise<number> {
  const interrupt = interruptSignal();
  const { signal } = interrupt;
  try {
    while (!signal.aborted) {
      for (const line of await reader.next()) write(line);
      await sleep(followMs, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    interrupt.dispose();
  }
  return interruptedCode;
}

function writer(json: boolean): (line: LogLine) => void {
  const paint = painter(process.stdout);
  return (line) => {
    process.stdout.write(`${json ? JSON.stringify(line) : logLine(line, paint)}\n`);
  };
}

const styles: Readonly<Record<Tier, "cyan" | "blue">> = { lambda: "cyan", fargate: "blue" };

/** Time, who said it, and what. */
export function logLine({ atMs, tier, from, line }: LogLine, paint: Paint): string {
  const label = (from ?? tier ?? "cloud").padEnd(10);
  const place = tier === null ? label : paint(styles[tier], label);
  return `${paint("dim", clockTime(atMs))}  ${place} ${line}`;
}
