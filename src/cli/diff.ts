/** `lambdaflex diff`: what the next deployment would change, permissions first. */
import { styleText } from "node:util";
import { type CommandDef, defineCommand } from "citty";
import { deploymentNames } from "../core/deployment.ts";
import { readClaim, recordText } from "./aws/claim.ts";
import { findZone } from "./aws/domain.ts";
import { readStack } from "./aws/stacks.ts";
import { assembled } from "./deploy/assembled.ts";
import { onService, print, serviceArgs } from "./deploy/command.ts";
import { parseImage } from "./deploy/image.ts";
import { changesInUse, listed, wayOut } from "./deploy/in-use.ts";
import { requireOurs, requireUnclaimed } from "./deploy/ownership.ts";
import type { ServiceAt } from "./deploy/service.ts";
import type { Difference } from "./deploy/toolkit.ts";

const args = {
  ...serviceArgs,
  image: {
    type: "string",
    valueHint: "REPOSITORY@sha256:DIGEST",
    description: "Compare with this image; default the one that is deployed",
  },
  fail: { type: "boolean", description: "End with 1 if anything would change" },
} as const;

const command: CommandDef = defineCommand({
  meta: { name: "diff", description: "What the next deployment would change" },
  args,
  run: ({ args: given }) =>
    onService(given, "nothing was changed", async (service) => {
      const difference = await differenceOf(service, given.image ?? null);
      print({ app: service.loaded.config.name, ...difference }, given.json, report);
      return given.fail === true && difference.different ? 1 : 0;
    }),
}) as CommandDef;

export default command;

/** A difference, and what of it cannot be deployed now. */
interface Comparison extends Difference {
  /** What a burst runs on: it must be gone before these change. */
  readonly inUse: readonly string[];
  /** Records of the domain that lead elsewhere: `deploy --take-domain` would replace them. */
  readonly taken: readonly string[];
}

async function differenceOf(service: ServiceAt, given: string | null): Promise<Comparison> {
  const { loaded, names, session, cloudformation, pace, progress } = service;
  const { config } = loaded;
  const stack = await readStack(cloudformation, names.baseStack);
  if (stack === null) await requireUnclaimed(session, config.name);
  else requireOurs(stack, config.name);
  const image = given === null ? stack?.outputs.ImageUri : named(given, session.region);
  const { diffStack } = await import("./deploy/toolkit.ts");
  return assembled(service, image, async (made) => {
    const inUse = await changesInUse(service, made);
    const taken = await foreignRecords(service);
    const target = { folder: made.folder, tags: {}, pollMs: pace.pollMs };
    return { ...(await diffStack(target, progress)), inUse, taken };
  });
}

async function foreignRecords({ loaded, session }: ServiceAt): Promise<readonly string[]> {
  const { domain, hostedZoneId } = loaded.config;
  if (domain === null) return [];
  const zone = await findZone(session, domain, hostedZoneId);
  return (await readClaim(session, zone, domain)).foreign.map(recordText);
}

function named(text: string, region: string): string {
  const { repository, digest } = parseImage(text, region);
  return `${repository.uri}@${digest}`;
}

function report(result: Comparison & { readonly app: string }): string {
  const { app, different, text, security, inUse, taken } = result;
  if (!different && taken.length === 0) return `${app}: nothing would change\n`;
  const heading = (title: string): string =>
    `${styleText(["bold", "yellow"], title, { stream: process.stdout })}\n`;
  const titled = (title: string, body: string): string => `${heading(title)}${body}\n\n`;
  const blocked =
    inUse.length === 0
      ? ""
      : titled(
          "deploy refuses this while the burst runs: NETWORK_IN_USE",
          `${listed(inUse)}\n${wayOut(deploymentNames(app).burstStack)}`,
        );
  const live =
    taken.length === 0
      ? ""
      : titled(
          "the domain leads elsewhere: deploy refuses it, deploy --take-domain replaces",
          taken.join("\n"),
        );
  // Their tables are the first of the text.
  const warned =
    security.length === 0 ? "" : heading("permissions or open ports change: look at them first");
  return `${live}${blocked}${warned}${text.trimEnd()}\n`;
}
