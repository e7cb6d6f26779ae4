/** Whether a deployment would take the network from under a burst: then it has to wait. */
import { readFile } from "node:fs/promises";
import { type CloudFormationClient, GetTemplateCommand } from "@aws-sdk/client-cloudformation";
import { UserError } from "../../config/errors.ts";
import { readStack, type StackFacts } from "../aws/stacks.ts";
import { type Assembled, assembled } from "./assembled.ts";
import type { ServiceAt } from "./service.ts";
import { baseChanges, burstChanges, type Template } from "./template-changes.ts";

/** A creation that was undone completely has left nothing that could be in use. */
const empty = "ROLLBACK_COMPLETE";

/** What a burst that exists stands on and would lose, a sentence each; nothing without a burst. */
export async function changesInUse(
  { cloudformation, names }: ServiceAt,
  { templates }: Assembled,
): Promise<readonly string[]> {
  const [base, burst] = await Promise.all([
    readStack(cloudformation, names.baseStack),
    readStack(cloudformation, names.burstStack),
  ]);
  if (base === null || burst === null || burst.status === empty) return [];
  const next = async (stack: string): Promise<Template | null> => {
    const written = templates.find((one) => one.stack === stack);
    return written === undefined ? null : JSON.parse(await readFile(written.file, "utf8"));
  };
  const [baseBefore, burstBefore, baseNext, burstNext] = await Promise.all([
    deployedTemplate(cloudformation, base),
    deployedTemplate(cloudformation, burst),
    next(names.baseStack),
    next(names.burstStack),
  ]);
  return [...baseChanges(baseBefore, baseNext ?? {}), ...burstChanges(burstBefore, burstNext)];
}

/** Throws UserError NETWORK_IN_USE if a burst would lose what it stands on. */
export async function requireNotInUse(service: ServiceAt, made: Assembled): Promise<void> {
  const changes = await changesInUse(service, made);
  if (changes.length === 0) return;
  const { burstStack } = service.names;
  const message = `${burstStack} runs on what would change: ${listed(changes)}`;
  throw new UserError("NETWORK_IN_USE", message, wayOut(burstStack));
}

/** The same before minutes of building an image, with the one that is deployed. */
export async function requireNotInUseYet(service: ServiceAt): Promise<void> {
  const { cloudformation, names } = service;
  if ((await readStack(cloudformation, names.burstStack)) === null) return;
  const base = await readStack(cloudformation, names.baseStack);
  const image = base?.outputs.ImageUri;
  // Without an image nothing was ever deployed completely, so nothing can be in use.
  if (image === undefined) return;
  await assembled(service, image, (made) => requireNotInUse(service, made));
}

/** How the network is changed all the same. */
export function wayOut(burstStack: string): string {
  return (
    "Traffic would break. Run lambdaflex pin lambda --on aws, wait until " +
    `${burstStack} is gone (lambdaflex status --on aws --watch), deploy again, then run ` +
    "lambdaflex auto --on aws. Nothing was changed."
  );
}

const listedMax = 4;

/** The first of them, and how many there are besides. */
export function listed(changes: readonly string[]): string {
  const more = changes.length - listedMax;
  const rest = more > 0 ? [`${more} more`] : [];
  return [...changes.slice(0, listedMax), ...rest].join("; ");
}

async function deployedTemplate(
  client: CloudFormationClient,
  { id }: StackFacts,
): Promise<Template> {
  const command = new GetTemplateCommand({ StackName: id, TemplateStage: "Original" });
  const { TemplateBody: body = "{}" } = await client.send(command);
  return JSON.parse(body) as Template;
}
