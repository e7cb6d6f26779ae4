/** `lambdaflex status`: what is, what is waited for, and how near the alarms are. */
import { setTimeout as sleep } from "node:timers/promises";
import { type CommandDef, defineCommand } from "citty";
import { awsArgs } from "./aws/options.ts";
import { interruptedCode, interruptSignal } from "./interrupt.ts";
import { lookOrSay } from "./look-again.ts";
import { openScreen, painter } from "./screen.ts";
import { openSource, type Report, type Source, sourceArgs } from "./source.ts";
import { statusLine, statusLines } from "./status-text.ts";
import { checkUnserved, webAddress, webAddressArgs } from "./web-address.ts";

const args = {
  ...sourceArgs,
  ...awsArgs,
  watch: { type: "boolean", description: "Keep looking, once a second, until Ctrl-C" },
  web: { type: "boolean", description: "Serve the live page until Ctrl-C" },
  ...webAddressArgs,
  json: { type: "boolean", description: "One JSON object; with --watch one a line" },
} as const;

const command: CommandDef = defineCommand({
  meta: { name: "status", description: "What is, what is waited for, how near the alarms are" },
  args,
  async run({ args: given, rawArgs }) {
    const page = webAddress(given, rawArgs);
    if (given.web !== true) checkUnserved(page, "without --web", "Add --web, or leave it out.");
    const source = await openSource(given);
    const json = given.json === true;
    if (given.web === true) return (await import("./status-web.ts")).serveStatus(source, page);
    if (given.watch === true) return watch(source, json);
    process.stdout.write(shown(await source.report(), json));
    return 0;
  },
}) as CommandDef;

export default command;

function shown(report: Report, json: boolean): string {
  if (json) return `${JSON.stringify(report)}\n`;
  return `${statusLines(report, painter(process.stdout)).join("\n")}\n`;
}

/** Real time between two looks: on AWS each of them is a few calls. */
const lookMs = { local: 1_000, aws: 5_000 };

async function watch(source: Source, json: boolean): Promise<number> {
  const screen = openScreen(process.stdout, () => performance.now());
  const paint = painter(process.stdout);
  const interrupt = interruptSignal();
  const say = json ? (line: string) => process.stderr.write(`${line}\n`) : screen.say;
  try {
    // What the first look is refused, the next would be as well.
    let report: Report | null = await source.report();
    const pauseMs = lookMs[report.source.on];
    while (!interrupt.signal.aborted) {
      if (report !== null && json) {
        process.stdout.write(`${JSON.stringify(report)}\n`);
      } else if (report !== null) {
        screen.picture(statusLines(report, paint));
        screen.plain(statusLine(report));
      }
      const pause = sleep(pauseMs, undefined, { signal: interrupt.signal });
      await pause.catch(() => undefined);
      if (!interrupt.signal.aborted) report = await lookOrSay(source.report, say);
    }
  } finally {
    interrupt.dispose();
  }
  return interruptedCode;
}
