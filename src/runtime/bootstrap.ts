#!/usr/bin/env node
/**
 * The entry of an image that runs on both tiers: `bootstrap [--] PROGRAM [ARGUMENT…]`.
 *
 * detect where we are → start the service → wait until it is ready → bridge → drain.
 */
import "./footprint.ts";
import { runInContainer, servicePort } from "./container.ts";
import { commandOf, detectSurroundings } from "./detect.ts";
import { refuseStart, runOnLambda } from "./lambda.ts";
import { logLine } from "./log.ts";
import { startService } from "./service.ts";
import { readSettings, VariableError } from "./variables.ts";

async function main(): Promise<number> {
  const command = commandOf(process.argv.slice(2));
  if (command.length === 0) throw new VariableError("usage: bootstrap [--] PROGRAM [ARGUMENT…]");
  const settings = readSettings(process.env, logLine);
  const onLambda = detectSurroundings(process.env) === "lambda";
  const port = onLambda ? settings.port : await servicePort(settings);
  const secrets = process.env.LAMBDAFLEX_SECRETS ? await secretsOf(process.env) : {};
  const service = startService(command, { ...process.env, ...secrets, PORT: String(port) });
  return onLambda
    ? runOnLambda(service, settings, logLine)
    : runInContainer(service, settings, port, logLine);
}

/** What reads secrets is loaded where there are any: a start without them is no slower. */
async function secretsOf(env: NodeJS.ProcessEnv): Promise<Readonly<Record<string, string>>> {
  return (await import("./secrets.ts")).readSecrets(env);
}

process.exit(await main().catch((error: unknown) => refuseStart(error, process.env, logLine)));
