/** `lambdaflex deploy`: one image to both tiers; what was interrupted goes on. */
import { type CommandDef, defineCommand } from "citty";
import { UserError } from "../config/errors.ts";
import { imageToDeploy } from "./deploy/build.ts";
import { onService, print, serviceArgs } from "./deploy/command.ts";
import { requireNotInUseYet } from "./deploy/in-use.ts";
import { locked } from "./deploy/lock.ts";
import { updateReport } from "./deploy/report.ts";
import type { ServiceAt } from "./deploy/service.ts";
import { type UpdateResult, updateBase } from "./deploy/update.ts";
import { checkBootstrap } from "./doctor/account.ts";
import { checkDomain, checkName } from "./doctor/service.ts";

const args = {
  ...serviceArgs,
  image: {
    type: "string",
    valueHint: "REPOSITORY@sha256:DIGEST",
    description: "An image in ECR instead of one built from the Dockerfile",
  },
  "take-domain": {
    type: "boolean",
    description: "Replace the records of a service that answers for the domain already",
  },
} as const;

const command: CommandDef = defineCommand({
  meta: { name: "deploy", description: "Builds the image and brings both tiers to it" },
  args,
  run: ({ args: given }) =>
    onService(given, leaving, async (service) => {
      const result = await deploy(service, given.image ?? null, given["take-domain"] === true);
      print(result, given.json, updateReport);
      return result.ok ? 0 : 1;
    }),
}) as CommandDef;

export default command;

const leaving =
  "what CloudFormation has begun goes on by itself, and traffic is served " +
  "meanwhile. The next lambdaflex deploy waits for it and goes on.";

async function deploy(
  service: ServiceAt,
  given: string | null,
  takeDomain: boolean,
): Promise<UpdateResult> {
  const { session, loaded, screen, table, pace } = service;
  if (takeDomain && loaded.config.domain === null) {
    const hint = 'Set "domain" to the name that is to be taken over.';
    throw new UserError("DOMAIN_MISSING", "there is no domain to take over", hint);
  }
  // What would fail after minutes of building is looked at in the first second.
  await Promise.all([
    checkBootstrap(session),
    checkDomain(session, loaded, takeDomain),
    checkName(session, loaded),
  ]);
  return locked(table, "deploy", session.arn, pace, async () => {
    await requireNotInUseYet(service);
    const image = await imageToDeploy({ session, loaded, given, screen, signal: pace.signal });
    screen.close();
    return updateBase(service, image, takeDomain);
  });
}
