/** `lambdaflex doctor`: what stands in the way of a deployment, and the fix of each. */
import { styleText } from "node:util";
import { type CommandDef, defineCommand } from "citty";
import { loadConfig } from "../config/index.ts";
import { asAwsMistake } from "./aws/errors.ts";
import { type AwsOptions, awsArgs, openSession, type Session } from "./aws/session.ts";
import {
  checkBootstrap,
  checkConcurrency,
  checkFargateQuota,
  checkServiceRoles,
} from "./doctor/account.ts";
import { type Check, type Finding, fine, found } from "./doctor/finding.ts";
import { checkDocker, checkDomain, checkImage, checkName } from "./doctor/service.ts";

const args = {
  config: {
    type: "string",
    valueHint: "PATH",
    description: "Folder or file of the configuration; default here",
  },
  ...awsArgs,
  json: { type: "boolean", description: "Print the findings as one JSON object" },
} as const;

const command: CommandDef = defineCommand({
  meta: { name: "doctor", description: "What stands in the way of a deployment" },
  args,
  run: async ({ args: given }) => {
    const findings = await examine(given.config, given);
    const ok = findings.every(({ level }) => level !== "fail");
    const text = given.json === true ? `${JSON.stringify({ ok, findings })}\n` : report(findings);
    process.stdout.write(text);
    return ok ? 0 : 1;
  },
}) as CommandDef;

export default command;

async function examine(path: string | undefined, options: AwsOptions): Promise<readonly Finding[]> {
  const loaded = await loadConfig(path);
  const machine = found({
    name: "docker",
    why: "Without docker no image is built here.",
    look: () => checkDocker(loaded),
  });
  let session: Session | null = null;
  const who = await found({
    name: "credentials",
    why: "Nothing can be asked of AWS, nor deployed.",
    look: async () => {
      session = await openSession(options).catch((error) => {
        throw asAwsMistake(error);
      });
      return [
        fine("credentials", `${session.arn}, account ${session.account}`),
        fine("region", session.region),
      ];
    },
  });
  const open = session as Session | null;
  const rest = open === null ? [] : await Promise.all(checks(open, loaded).map(found));
  return [...who, ...rest.flat(), ...(await machine)];
}

function checks(
  session: Session,
  loaded: Awaited<ReturnType<typeof loadConfig>>,
): readonly Check[] {
  const { config } = loaded;
  return [
    {
      name: "bootstrap",
      why: "The CDK uploads templates into a bucket that its bootstrap makes.",
      look: () => checkBootstrap(session),
    },
    {
      name: "domain",
      why: "The service is reached by this name, and DNS moves the traffic.",
      look: () => checkDomain(session, loaded),
    },
    {
      name: "name",
      why: "Everything in AWS is named after it.",
      look: () => checkName(session, loaded),
    },
    {
      name: "image",
      why: "Both tiers run the same image.",
      look: () => checkImage(session, loaded),
    },
    {
      name: "concurrency",
      why: "Lambda answers one request at a time in each environment.",
      look: () => checkConcurrency(session, config),
    },
    {
      name: "fargate quota",
      why: "The burst tier scales out up to it.",
      look: () => checkFargateQuota(session, config),
    },
    {
      name: "service roles",
      why: "A burst fails without them.",
      look: () => checkServiceRoles(session),
    },
  ];
}

const marks = { ok: ["green", "ok  "], warn: ["yellow", "warn"], fail: ["red", "fail"] } as const;

function report(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.flatMap(({ check, level, what, why, fix }) => {
    const [colour, word] = marks[level];
    const indent = " ".repeat(width + 7);
    const mark = styleText(colour, word, { stream: process.stdout });
    const head = `${mark}  ${check.padEnd(width)} ${what}`;
    return level === "ok" ? [head] : [head, `${indent}why: ${why}`, `${indent}fix: ${fix}`];
  });
  const count = (level: string): number => findings.filter((one) => one.level === level).length;
  const [fails, warns] = [count("fail"), count("warn")];
  const verdict =
    fails > 0 ? `${fails} in the way of a deployment` : "nothing in the way of a deployment";
  return `${lines.join("\n")}\n${verdict}, ${warns} to look at\n`;
}
