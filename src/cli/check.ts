/** `lambdaflex check`: what would behave differently on the two tiers, before users find out. */
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { relative } from "node:path";
import { type CommandDef, defineCommand } from "citty";
import { UserError } from "../config/errors.ts";
import { type LoadedConfig, loadConfig } from "../config/index.ts";
import { withoutAcceptedPaths } from "../parity/accept.ts";
import { countLevel, type Finding, sortFindings } from "../parity/finding.ts";
import { sarifLog } from "../parity/sarif.ts";
import { checkByRequests, type DynamicResult } from "./check/dynamic.ts";
import { countsText, reportText } from "./check/report.ts";
import { type RequestSources, readDocuments } from "./check/requests.ts";
import { checkFiles, type StaticResult } from "./check/static.ts";
import { interruptedCode, interruptSignal } from "./interrupt.ts";
import { asUserError } from "./local-errors.ts";
import { prepare } from "./prepare.ts";
import { type RuntimeChoice, runtimeArgs, runtimeChoice } from "./runtime.ts";
import { openScreen, type Screen } from "./screen.ts";

const args = {
  config: {
    type: "string",
    valueHint: "PATH",
    description: "Folder or file of the configuration; default here",
  },
  static: { type: "boolean", description: "Only look at configuration, Dockerfile and code" },
  dynamic: { type: "boolean", description: "Only replay requests; default is both" },
  openapi: {
    type: "string",
    valueHint: "FILE",
    description: "Requests of this OpenAPI document; default is what the service serves",
  },
  har: { type: "string", valueHint: "FILE", description: "Requests of this HTTP archive" },
  recording: {
    type: "string",
    valueHint: "FILE",
    description: "Requests of a rehearsal that was recorded with --record",
  },
  unsafe: {
    type: "boolean",
    description: "Send POST, PUT, PATCH and DELETE of those documents too",
  },
  json: { type: "boolean", description: "Print the findings as one JSON object" },
  sarif: { type: "string", valueHint: "FILE", description: "Write them as SARIF 2.1.0" },
  ...runtimeArgs,
} as const;

interface Options extends RequestSources {
  readonly config: string | undefined;
  readonly static: boolean;
  readonly dynamic: boolean;
  readonly json: boolean;
  readonly sarif: string | undefined;
  readonly runtime: RuntimeChoice;
}

const command: CommandDef = defineCommand({
  meta: { name: "check", description: "What would behave differently on the two tiers" },
  args,
  run: ({ args: given }) =>
    check({
      config: given.config,
      static: given.static === true,
      dynamic: given.dynamic === true,
      openapi: given.openapi,
      har: given.har,
      recording: given.recording,
      unsafe: given.unsafe === true,
      json: given.json === true,
      sarif: given.sarif,
      runtime: runtimeChoice(given),
    }),
}) as CommandDef;

export default command;

async function check(options: Options): Promise<number> {
  const both = options.static === options.dynamic;
  const loaded = await loadConfig(options.config);
  const interrupt = interruptSignal();
  const screen = openScreen(process.stderr, () => performance.now());
  try {
    const read = await checkFiles(loaded);
    const files = both || options.static ? read : null;
    const replay =
      both || options.dynamic ? await byRequests(options, interrupt.signal, screen) : null;
    screen.close();
    const shown = withoutAcceptedPaths(read.texts, replay?.findings ?? []);
    const findings = sortFindings([...(files?.findings ?? []), ...shown]);
    if (options.sarif !== undefined) await writeSarif(options.sarif, findings, loaded);
    print(findings, files, replay, options.json);
    return countLevel(findings, "error") > 0 ? 1 : 0;
  } catch (error) {
    screen.close();
    if (interrupt.signal.aborted) return interruptedCode;
    throw asUserError(error);
  } finally {
    interrupt.dispose();
  }
}

/** The last lines of the service, in case it does not work at all. */
async function byRequests(
  options: Options,
  signal: AbortSignal,
  screen: Screen,
): Promise<DynamicResult> {
  const documents = await readDocuments(options);
  const prepared = await prepare(options.config, screen.say, signal, options.runtime);
  const { loaded, service } = prepared;
  screen.plain(`starting ${loaded.config.name} directly, on Lambda and on Fargate`);
  return checkByRequests({
    loaded,
    service,
    documents,
    unsafe: options.unsafe,
    signal,
    onProgress: (line) => screen.picture([line]),
    onLog: () => undefined,
  }).finally(prepared.close);
}

function print(
  findings: readonly Finding[],
  files: StaticResult | null,
  replay: DynamicResult | null,
  json: boolean,
): void {
  if (json) {
    const requests = replay?.requests ?? 0;
    const result = { ok: countLevel(findings, "error") === 0, requests, findings };
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  const colourful = process.stdout.isTTY === true && !process.env.NO_COLOR;
  const plural = files?.files === 1 ? "" : "s";
  const lines = [
    files && `${files.files} source file${plural}${files.dockerfile ? " and the Dockerfile" : ""}`,
    replay && `${replay.requests} requests in three ways (${replay.sources.join(", ")})`,
  ].filter((line) => line !== null);
  const withheld =
    replay && replay.leftOut > 0
      ? `${replay.leftOut} requests could change something: --unsafe sends them too.\n`
      : "";
  const looked = `${countsText(findings)} in ${lines.join(", and in ")}\n`;
  process.stdout.write(reportText(findings, colourful) + withheld + looked);
}

async function writeSarif(
  path: string,
  findings: readonly Finding[],
  { folder, file }: LoadedConfig,
): Promise<void> {
  const manifest = new URL("../../package.json", import.meta.url);
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
  const log = sarifLog(findings, { version, configFile: relative(folder, file) });
  try {
    await writeFile(path, `${JSON.stringify(log, null, 2)}\n`);
  } catch (error) {
    const hint = "Its folder must exist, and you must be allowed to write there.";
    throw new UserError("REPORT_UNWRITABLE", `${path}: ${(error as Error).message}`, hint);
  }
}
