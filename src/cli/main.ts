#!/usr/bin/env node
/** The command line: one lazily imported file per command. The only place for argv and exit. */
import { readFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import { type CommandDef, defineCommand, renderUsage, runCommand } from "citty";
import { UserError } from "../config/errors.ts";
import { checkArguments } from "./arguments.ts";

const commands: Readonly<Record<string, () => Promise<CommandDef>>> = {
  init: async () => (await import("./init.ts")).default,
  doctor: async () => (await import("./doctor.ts")).default,
  synth: async () => (await import("./synth.ts")).default,
  diff: async () => (await import("./diff.ts")).default,
  deploy: async () => (await import("./deploy.ts")).default,
  rollback: async () => (await import("./rollback.ts")).default,
  destroy: async () => (await import("./destroy.ts")).default,
  rehearse: async () => (await import("./rehearse.ts")).default,
  dev: async () => (await import("./dev.ts")).default,
  check: async () => (await import("./check.ts")).default,
  status: async () => (await import("./status.ts")).default,
  why: async () => (await import("./why.ts")).default,
  history: async () => (await import("./history.ts")).default,
  logs: async () => (await import("./logs.ts")).default,
  shift: async () => (await import("./shift.ts")).default,
  pin: async () => (await import("./pin.ts")).default,
  auto: async () => (await import("./auto.ts")).default,
  replay: async () => (await import("./replay.ts")).default,
  simulate: async () => (await import("./simulate.ts")).default,
  cost: async () => (await import("./cost.ts")).default,
};

const summaries: Readonly<Record<string, string>> = {
  init: "A configuration, a Dockerfile and, where there is none, a minimal service",
  doctor: "What stands in the way of a deployment to AWS, and the fix of each",
  synth: "The CloudFormation templates as files, without an account",
  diff: "What the next deployment would change, permissions first",
  deploy: "Builds the image and brings both tiers to it",
  rollback: "Brings both tiers to an image that was deployed before",
  destroy: "Removes everything from AWS, and proves that nothing billable remains",
  rehearse: "One whole cycle, Lambda to Fargate and back, under real traffic on this machine",
  dev: "Both tiers on this machine for your own requests, at http://localhost:4400",
  check: "What would behave differently on the two tiers, from the files and by requests",
  status: "What is, what is waited for, and how near the alarms are",
  why: "Why it is on this tier now, and what would change that",
  history: "Every decision with its numbers",
  logs: "What the service says on both tiers, in order of time",
  shift: "Go to a tier now; after a while the policy decides again",
  pin: "Go to a tier and stay there",
  auto: "Let the policy decide again",
  replay: "A recorded run in the page again, with a slider over its time",
  simulate: "What your own traffic would have cost: each policy, staying put, and the optimum",
  cost: "What your service costs on either tier, and from which rate on Fargate is cheaper",
};

function version(): string {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

function overview(): string {
  const width = Math.max(...Object.keys(summaries).map((name) => name.length));
  const rows = Object.entries(summaries).map(([name, sentence]) => {
    return `  ${name.padEnd(width)}  ${sentence}`;
  });
  return [
    "lambdaflex: one container image, on Lambda while quiet and on Fargate at peak",
    "",
    "Usage: lambdaflex COMMAND [OPTIONS]",
    "",
    "Commands:",
    ...rows,
    "",
    "Options:",
    "  --help     This page, or a command's own",
    "  --version  The version",
    "",
  ].join("\n");
}

/** Runs the command line; resolves with the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const [name = "--help", ...rest] = argv;
  if (name === "--help" || name === "-h" || name === "help") return print(overview());
  if (name === "--version" || name === "-v") return print(`${version()}\n`);
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load === undefined) {
    const known = Object.keys(commands).join(", ");
    const hint = `The commands are: ${known}. See lambdaflex --help.`;
    throw new UserError("COMMAND_UNKNOWN", `there is no command "${name}"`, hint);
  }
  requireNode(process.versions.node);
  const command = await load();
  if (rest.includes("--help") || rest.includes("-h")) {
    const parent = defineCommand({ meta: { name: "lambdaflex" } });
    return print(plainUnlessTerminal(`${await renderUsage(command, parent)}\n`));
  }
  checkArguments(command, rest);
  const { result } = await runCommand(command, { rawArgs: rest });
  return typeof result === "number" ? result : 0;
}

/** npm only warns of it, and what is missing then would look like a bug of ours. */
function requireNode(running: string): void {
  const [major = 0, minor = 0] = running.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 18)) return;
  const hint = "Use Node.js 22.18 or newer; services may run on any version.";
  throw new UserError("NODE_TOO_OLD", `this is Node.js ${running}`, hint);
}

/** The usage text comes with colours, which only a terminal wants. */
function plainUnlessTerminal(text: string): string {
  const colourful = process.stdout.isTTY && !process.env.NO_COLOR;
  return colourful ? text : stripVTControlCharacters(text);
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

/** Mistakes end with 2 and a hint, bugs with 70 and a stack. */
function report(error: unknown): number {
  if (error instanceof UserError) {
    process.stderr.write(`${error.format()}\n`);
    return 2;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`lambdaflex has a bug, please report it:\n${text}\n`);
  return 70;
}

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
});
const code = await main(process.argv.slice(2)).catch(report);
process.stdout.write("", () => process.exit(code));
