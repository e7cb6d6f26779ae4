/** Removes a service in the order that keeps it served as long as anything of it stands. */
import { DeleteStackCommand } from "@aws-sdk/client-cloudformation";
import { ECRClient } from "@aws-sdk/client-ecr";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { Route53Client } from "@aws-sdk/client-route-53";
import { removeRecords } from "../../aws/records.ts";
import { UserError } from "../../config/errors.ts";
import { findZone } from "../aws/domain.ts";
import { asAwsMistake } from "../aws/errors.ts";
import { clientOf } from "../aws/session.ts";
import {
  failuresSince,
  isBusy,
  type ResourceFailure,
  readStack,
  type StackFacts,
  settled,
} from "../aws/stacks.ts";
import { inFolder, writeAssembly } from "../deploy/assembly.ts";
import { formerText, readFormer, restoreCommand } from "../deploy/former.ts";
import { removeRepository } from "../deploy/image.ts";
import { hasFunction, requireOurs, requireUnclaimed } from "../deploy/ownership.ts";
import type { ServiceAt } from "../deploy/service.ts";
import { uninterrupted } from "../deploy/update.ts";
import { drained } from "./drain.ts";
import { type Proof, prove } from "./proof.ts";

/** What a removal came to. */
export interface RemovalResult extends Proof {
  readonly ok: boolean;
  readonly app: string;
  readonly account: string;
  readonly region: string;
  readonly failures: readonly ResourceFailure[];
  /** What stays on purpose. */
  readonly kept: readonly string[];
  /** Where the domain led before it was taken over, and how it is led there again. */
  readonly restore: { readonly led: string; readonly command: string } | null;
}

/** How the removal may be varied. */
export interface RemovalOptions {
  /** Clients of the burst tier are not waited for. */
  readonly now: boolean;
  readonly keepImages: boolean;
}

/** Removes everything; what was removed before is no obstacle. */
export async function removeService(
  service: ServiceAt,
  options: RemovalOptions,
): Promise<RemovalResult> {
  const { loaded, names, session, cloudformation, table, pace, progress } = service;
  const { config } = loaded;
  const say = progress.say;
  const base = await quietStack(service, names.baseStack);
  let failures: readonly ResourceFailure[] = [];
  if (base === null) await requireUnclaimed(session, config.name);
  // It goes with the table.
  const former = base === null ? null : await readFormer(table);
  if (base !== null) {
    requireOurs(base, config.name);
    const lambda = new LambdaClient(clientOf(session));
    if (options.now) say("the guard brings traffic back at once, clients are not waited for");
    else await drained({ config, names, cloudformation, lambda, table, pace, say });
    failures = await removeBase(service, base);
  }
  // The guard removes it before base goes; this is for a base whose guard is gone or broken.
  const burst = await removeLeftBurst(service);
  if (burst !== null) {
    const again = failures.length > 0 ? await quietStack(service, names.baseStack) : null;
    // What the burst tier still used could not be removed before it.
    failures = [...burst, ...(again === null ? [] : await removeBase(service, again))];
  }
  const others = failures.length === 0 ? await removeRest(service, options.keepImages) : [];
  progress.close();
  const dynamodb = table.repeatable;
  const keepImages = options.keepImages || others.length > 0;
  const parts = { app: config.name, names, session, cloudformation, dynamodb, keepImages };
  const proof = await prove(parts);
  const { account, region } = session;
  const ok = failures.length === 0 && proof.remaining.length === 0;
  const kept = [...others, ...keptOnPurpose(service, options.keepImages)];
  const restore = former && { led: formerText(former), command: restoreCommand(former, null) };
  return { ok, app: config.name, account, region, failures, kept, restore, ...proof };
}

/** The stack once nothing is under way in it; `null` if there is none. */
async function quietStack(
  { cloudformation, pace, progress }: ServiceAt,
  name: string,
): Promise<StackFacts | null> {
  const stack = await readStack(cloudformation, name);
  if (stack === null || !isBusy(stack)) return stack;
  progress.say(`stack ${name} is ${stack.status}: waiting for it`);
  return settled(cloudformation, stack, pace, progress.event, pace.nowMs());
}

async function removeBase(
  { loaded, session, pace, progress, cloudformation }: ServiceAt,
  base: StackFacts,
): Promise<readonly ResourceFailure[]> {
  const { config } = loaded;
  const sinceMs = pace.nowMs();
  progress.say(`removing ${base.name}: its guard restores DNS and removes the burst tier first`);
  const { destroyStack } = await import("../deploy/toolkit.ts");
  try {
    await inFolder(async (folder) => {
      const { account, region } = session;
      const image = base.outputs.ImageUri;
      // The toolkit wants a template although it removes by name.
      await writeAssembly(config, { out: folder, account, region, ...(image && { image }) });
      const target = { folder, tags: {}, pollMs: pace.pollMs };
      await uninterrupted(destroyStack(target, progress), pace.signal);
    });
    return [];
  } catch (error) {
    const mistake = asAwsMistake(error);
    if (mistake instanceof UserError || pace.signal.aborted) throw mistake;
    const own = await failuresSince(cloudformation, base.id, sinceMs - 60_000);
    if (own.length > 0) return own;
    const reason = error instanceof Error ? error.message : String(error);
    const type = "AWS::CloudFormation::Stack";
    return [{ resource: base.name, type, status: "DELETE_FAILED", reason }];
  }
}

/** Removes a burst stack that nobody looks after; `null` if there is none such. */
async function removeLeftBurst(service: ServiceAt): Promise<readonly ResourceFailure[] | null> {
  const { cloudformation, names, pace, progress, loaded, session } = service;
  const stack = await quietStack(service, names.burstStack);
  // While the guard exists it may still bring traffic back first: the next destroy asks it again.
  if (stack === null || (await hasFunction(session, names.guardFunction))) return null;
  requireOurs(stack, loaded.config.name);
  progress.say(`removing ${stack.name}, which nobody looks after any more`);
  const sinceMs = pace.nowMs();
  const { partition, account, region } = session;
  // Its own role may have gone with the base stack.
  const RoleARN = `arn:${partition}:iam::${account}:role/${executionRole}-${account}-${region}`;
  await cloudformation.send(new DeleteStackCommand({ StackName: stack.id, RoleARN }));
  const left = await settled(cloudformation, stack, pace, progress.event, sinceMs - 60_000);
  return left === null ? [] : failuresSince(cloudformation, stack.id, sinceMs - 60_000);
}

/** The role that the CDK's bootstrap makes for CloudFormation. */
const executionRole = "cdk-hnb659fds-cfn-exec-role";

/** What no stack owns: the records of the domain and the repository. Tells what stays. */
async function removeRest(service: ServiceAt, keepImages: boolean): Promise<readonly string[]> {
  const { loaded, names, session, progress } = service;
  const { domain, hostedZoneId } = loaded.config;
  if (domain !== null) {
    const zone = await findZone(session, domain, hostedZoneId).catch((error) => {
      // Where there is no zone there are no records.
      if (error instanceof UserError && error.code === "ZONE_NOT_FOUND") return null;
      throw error;
    });
    const place = { name: domain, zoneId: zone?.id ?? "" };
    const client = new Route53Client(clientOf(session));
    // In the wrong region there is nothing to remove, least of all what serves the right one.
    const count = zone === null ? 0 : await removeRecords(client, place, session.region);
    if (count > 0)
      progress.say(`removed ${count} DNS record${count === 1 ? "" : "s"} of ${domain}`);
  }
  if (keepImages) return [];
  const { repository } = names;
  const ecr = new ECRClient(clientOf(session));
  const became = await removeRepository(ecr, repository, loaded.config.name);
  if (became === "removed") progress.say(`removed the ECR repository ${repository}`);
  return became === "another's" ? [`the ECR repository ${repository}, made by somebody else`] : [];
}

function keptOnPurpose({ loaded, names }: ServiceAt, keepImages: boolean): readonly string[] {
  const { domain, certificateArn } = loaded.config;
  return [
    ...(domain === null ? [] : [`the hosted zone of ${domain} (0.50 USD a month)`]),
    ...(certificateArn === null ? [] : ["the certificate that you brought (free)"]),
    ...(keepImages ? [`the images in ${names.repository} (0.10 USD per GB and month)`] : []),
    "old revisions of the task definition (free)",
    "the CDK's bootstrap with the uploaded templates (cents a year), service-linked roles (free)",
  ];
}
