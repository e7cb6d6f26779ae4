/** `lambdaflex diff`: what the next deployment would change, permissions first. */
import { styleText } from "node:util";
import { type CommandDef, defineCommand } from "citty";
import { findZone } from "./aws/domain.ts";
import { readStack } from "./aws/stacks.ts";
import { inFolder, writeAssembly } from "./deploy/assembly.ts";
import { onService, print, serviceArgs } from "./deploy/command.ts";
import { parseImage } from "./deploy/image.ts";
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

async function differenceOf(service: ServiceAt, given: string | null): Promise<Difference> {
  const { loaded, names, session, cloudformation, pace, progress } = service;
  const { config } = loaded;
  const stack = await readStack(cloudformation, names.baseStack);
  if (stack === null) await requireUnclaimed(session, config.name);
  else requireOurs(stack, config.name);
  const image = given === null ? stack?.outputs.ImageUri : named(given, session.region);
  const { domain, hostedZoneId } = config;
  const zone = domain === null ? null : await findZone(session, domain, hostedZoneId);
  const { diffStack } = await import("./deploy/toolkit.ts");
  return inFolder(async (folder) => {
    const { account, region } = session;
    await writeAssembly(config, {
      out: folder,
      account,
      region,
      ...(image && { image }),
      ...(zone && { hostedZoneId: zone.id }),
    });
    return diffStack({ folder, tags: {}, pollMs: pace.pollMs }, progress);
  });
}

function named(text: string, region: string): string {
  const { repository, digest } = parseImage(text, region);
  return `${repository.uri}@${digest}`;
}

function report(result: Difference & { readonly app: string }): string {
  const { app, different, text, security } = result;
  if (!different) return `${app}: nothing would change\n`;
  const warned = security.trim() !== "";
  const title = "permissions or open ports change: look at them first";
  const head = styleText(["bold", "yellow"], title, { stream: process.stdout });
  return warned ? `${head}\n${security.trimEnd()}\n\n${text.trimEnd()}\n` : `${text.trimEnd()}\n`;
}
