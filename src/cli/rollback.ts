/** `lambdaflex rollback`: an image that was deployed before, by the same way as any other. */
import { ECRClient } from "@aws-sdk/client-ecr";
import { type CommandDef, defineCommand } from "citty";
import { UserError } from "../config/errors.ts";
import { clientOf } from "./aws/session.ts";
import { readStack } from "./aws/stacks.ts";
import { onService, print, serviceArgs } from "./deploy/command.ts";
import { parseImage, readImage, requirePlatform } from "./deploy/image.ts";
import { locked } from "./deploy/lock.ts";
import { requireOurs, requireUnclaimed } from "./deploy/ownership.ts";
import { type DeploymentRecord, readDeployments } from "./deploy/record.ts";
import { updateReport } from "./deploy/report.ts";
import type { ServiceAt } from "./deploy/service.ts";
import { type UpdateResult, updateBase } from "./deploy/update.ts";

const args = {
  ...serviceArgs,
  to: {
    type: "string",
    valueHint: "DIGEST",
    description: "Digest or its beginning; default the image before the present one",
  },
} as const;

const command: CommandDef = defineCommand({
  meta: { name: "rollback", description: "Brings both tiers to an image of before" },
  args,
  run: ({ args: given }) =>
    onService(given, "lambdaflex rollback goes on where this one stopped", async (service) => {
      const result = await rollback(service, given.to ?? null);
      print(result, given.json, updateReport);
      return result.ok ? 0 : 1;
    }),
}) as CommandDef;

export default command;

async function rollback(service: ServiceAt, to: string | null): Promise<UpdateResult> {
  const { loaded, names, session, cloudformation, table, pace, screen } = service;
  const { config } = loaded;
  const stack = await readStack(cloudformation, names.baseStack);
  if (stack === null) await requireUnclaimed(session, config.name);
  else requireOurs(stack, config.name);
  const current = stack?.outputs.ImageUri;
  if (current === undefined) {
    const message = `${config.name} is not deployed in ${session.account}/${session.region}`;
    throw new UserError("NOT_DEPLOYED", message, "Check --region and --profile, or deploy it.");
  }
  const image = chosenImage(await readDeployments(table), current, to);
  const { repository, digest } = parseImage(image, session.region);
  const client = new ECRClient(clientOf(session));
  const facts = await readImage(client, repository, { imageDigest: digest });
  if (facts === null) {
    const hint = "Choose another with --to, or deploy the old sources.";
    throw new UserError("IMAGE_NOT_FOUND", `${repository.uri} has no longer ${digest}`, hint);
  }
  requirePlatform(facts, config.lambda.architecture);
  return locked(table, "rollback", session.arn, pace, () => {
    screen.say(`back from ${digestOf(current)} to ${digest}`);
    return updateBase(service, image);
  });
}

const digestOf = (image: string): string => image.slice(image.indexOf("@") + 1);

/** Chooses among the images that were deployed. Throws UserError PREVIOUS_IMAGE_MISSING. */
export function chosenImage(
  records: readonly DeploymentRecord[],
  current: string,
  to: string | null,
): string {
  const images = [...new Set(records.map(({ image }) => image))];
  if (to === null) {
    // Records after the present one are older; before it only what was never taken up.
    const from = records.findIndex(({ image }) => image === current);
    const earlier = records.slice(from + 1).find(({ image }) => image !== current);
    if (earlier !== undefined) return earlier.image;
    const hint = "Name one with --to, or deploy one with lambdaflex deploy --image.";
    throw new UserError("PREVIOUS_IMAGE_MISSING", "no other image was deployed before", hint);
  }
  const wanted = to.replace(/^sha256:/, "");
  const found = images.filter((image) => digestOf(image).startsWith(`sha256:${wanted}`));
  const [only] = found;
  if (only !== undefined && found.length === 1 && wanted.length >= 6) return only;
  const known = images.slice(0, 5).map((image) => digestOf(image).slice(0, 19));
  const message =
    found.length > 1 ? `"${to}" begins several digests` : `no image ${to} was deployed before`;
  const hint = `Deployed were ${known.join(", ") || "none"}. Any image: lambdaflex deploy --image.`;
  throw new UserError("PREVIOUS_IMAGE_MISSING", message, hint);
}
