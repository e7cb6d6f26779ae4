/** `lambdaflex destroy`: back to Lambda, drained, removed, and proved to be gone. */
import { type CommandDef, defineCommand } from "citty";
import { onService, print, serviceArgs } from "./deploy/command.ts";
import { locked } from "./deploy/lock.ts";
import { sentence } from "./deploy/recovery.ts";
import { requireAgreement } from "./destroy/agree.ts";
import { type RemovalResult, removeService } from "./destroy/removal.ts";

const args = {
  ...serviceArgs,
  yes: { type: "boolean", description: "Do not ask" },
  now: { type: "boolean", description: "Do not wait for clients of the burst tier to leave" },
  "keep-images": { type: "boolean", description: "Keep the ECR repository with its images" },
} as const;

const command: CommandDef = defineCommand({
  meta: { name: "destroy", description: "Removes everything, and proves that it is gone" },
  args,
  run: ({ args: given }) =>
    onService(given, leaving, async (service) => {
      const { session, loaded, table, pace } = service;
      const where = `${session.account}/${session.region}`;
      await requireAgreement(loaded.config.name, where, given.yes === true, pace.signal);
      const options = { now: given.now === true, keepImages: given["keep-images"] === true };
      const result = await locked(table, "destroy", session.arn, pace, () =>
        removeService(service, options),
      );
      print(result, given.json, report);
      return result.ok ? 0 : 1;
    }),
}) as CommandDef;

export default command;

const leaving =
  "what AWS has begun goes on by itself. The next lambdaflex destroy goes on from " +
  "there; to keep the service instead, lambdaflex deploy, then lambdaflex auto.";

function report(result: RemovalResult): string {
  const { ok, app, account, region, failures, remaining, unproven, looked, kept, restore } = result;
  const head = ok ? "removed, and nothing billable remains" : "not removed completely";
  const lines = [
    `${app} in ${account}/${region}: ${head}`,
    ...failures.map((failure) => `failed: ${sentence(failure)}`),
    ...remaining.map((what) => `still there: ${what}`),
    ...unproven.map((arn) => `the tag search still shows ${arn}; it lags behind for hours`),
    ...looked.map((what) => `  looked at ${what}`),
    ...kept.map((what) => `  kept on purpose: ${what}`),
    ...(restore === null
      ? []
      : [
          `  before lambdaflex the domain led to ${restore.led}; to restore it: ${restore.command}`,
        ]),
  ];
  if (!ok) lines.push("next: repair what the reason names, then run lambdaflex destroy again");
  return `${lines.join("\n")}\n`;
}
