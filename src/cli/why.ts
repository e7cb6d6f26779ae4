/** `lambdaflex why`: five lines that explain the present tier, and what would change it. */
import { type CommandDef, defineCommand } from "citty";
import { awsArgs } from "./aws/options.ts";
import { openSource, sourceArgs } from "./source.ts";
import { explain } from "./why-explain.ts";
import { whyLines } from "./why-text.ts";

const args = {
  ...sourceArgs,
  ...awsArgs,
  json: { type: "boolean", description: "The answers as one JSON object" },
} as const;

const command: CommandDef = defineCommand({
  meta: { name: "why", description: "Why it is on this tier, and what would change that" },
  args,
  async run({ args: given }) {
    const report = await (await openSource(given)).report();
    const { source, snapshot } = report;
    const text = given.json
      ? JSON.stringify({ source, atMs: snapshot.atMs, ...explain(report) })
      : whyLines(report).join("\n");
    process.stdout.write(`${text}\n`);
    return 0;
  },
}) as CommandDef;

export default command;
