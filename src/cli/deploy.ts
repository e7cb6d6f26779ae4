/** `lambdaflex deploy`: one image to both tiers; what was interrupted goes on. */
import { type CommandDef, defineCommand } from "citty";
import { asAwsMistake } from "./aws/errors.ts";
import { awsArgs } from "./aws/session.ts";
import { imageToDeploy } from "./deploy/build.ts";
import { locked } from "./deploy/lock.ts";
import { updateReport } from "./deploy/report.ts";
import { openService, type ServiceOptions } from "./deploy/service.ts";
import { type UpdateResult, updateBase } from "./deploy/update.ts";
import { checkBootstrap } from "./doctor/account.ts";
import { checkDomain, checkName } from "./doctor/service.ts";
import { interruptedCode, interruptSignal } from "./interrupt.ts";

const args = {
  config: {
    type: "string",
    valueHint: "PATH",
    description: "Folder or file of the configuration; default here",
  },
  image: {
    type: "string",
    valueHint: "REPOSITORY@sha256:DIGEST",
    description: "An image in ECR instead of one built from the Dockerfile",
  },
  ...awsArgs,
  json: { type: "boolean", description: "Print the result as one JSON object" },
} as const;

const command: CommandDef = defineCommand({
  meta: { name: "deploy", description: "Builds the image and brings both tiers to it" },
  args,
  run: async ({ args: given }) => {
    const interrupt = interruptSignal();
    try {
      const result = await deploy(given, given.image ?? null, interrupt.signal);
      const text = given.json === true ? `${JSON.stringify(result)}\n` : updateReport(result);
      process.stdout.write(text);
      return result.ok ? 0 : 1;
    } catch (error) {
      if (!interrupt.signal.aborted) throw asAwsMistake(error);
      process.stderr.write(`${interruptedText}\n`);
      return interruptedCode;
    } finally {
      interrupt.dispose();
    }
  },
}) as CommandDef;

export default command;

const interruptedText =
  "interrupted: what CloudFormation has begun goes on by itself, and traffic is served " +
  "meanwhile. The next lambdaflex deploy waits for it and goes on.";

async function deploy(
  options: ServiceOptions,
  given: string | null,
  signal: AbortSignal,
): Promise<UpdateResult> {
  const service = await openService(options, signal);
  const { session, loaded, screen, table, pace } = service;
  // What would fail after minutes of building is looked at in the first second.
  await Promise.all([
    checkBootstrap(session),
    checkDomain(session, loaded),
    checkName(session, loaded),
  ]);
  return locked(table, "deploy", session.arn, pace, async () => {
    const image = await imageToDeploy({ session, loaded, given, screen, signal });
    screen.close();
    return updateBase(service, image);
  });
}
