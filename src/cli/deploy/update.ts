/** Brings base to an image and a configuration: what deploy and rollback have in common. */
import { LambdaClient } from "@aws-sdk/client-lambda";
import { UserError } from "../../config/errors.ts";
import { appTag } from "../../core/deployment.ts";
import { asAwsMistake } from "../aws/errors.ts";
import { clientOf } from "../aws/session.ts";
import { failuresSince, type ResourceFailure, readStack } from "../aws/stacks.ts";
import { assembled } from "./assembled.ts";
import { type BurstOutcome, burstFollows, wakeController } from "./burst.ts";
import { requireNotInUse } from "./in-use.ts";
import { landed } from "./landed.ts";
import { recordDeployment } from "./record.ts";
import { recovered } from "./recovery.ts";
import { ensureServiceRoles } from "./roles.ts";
import type { ServiceAt } from "./service.ts";
import { type Takeover, takeOver } from "./takeover.ts";

/** What a deployment came to. */
export interface UpdateResult {
  readonly ok: boolean;
  readonly app: string;
  readonly account: string;
  readonly region: string;
  readonly image: string;
  readonly url: string | null;
  readonly unchanged: boolean;
  readonly burst: BurstOutcome;
  /** What became of a name that was live already; `null` if it was free or ours. */
  readonly takeover: Takeover | null;
  readonly failures: readonly ResourceFailure[];
  /** What CloudFormation could not remove: it still exists and may be billed. */
  readonly leftBehind: readonly string[];
}

/** The clock of this machine may be ahead of CloudFormation's. */
const clockSlackMs = 60_000;

/** Deploys the image. What AWS fails at is in the result; mistakes are thrown. */
export async function updateBase(
  service: ServiceAt,
  image: string,
  takeDomain = false,
): Promise<UpdateResult> {
  const { loaded, names, session, cloudformation, pace, progress, table } = service;
  const { config } = loaded;
  const empty = {
    app: config.name,
    account: session.account,
    region: session.region,
    image,
    url: null,
    unchanged: false,
    burst: { state: "absent" } as const,
    takeover: null,
    leftBehind: [],
  };
  await recovered({
    client: cloudformation,
    app: config.name,
    stack: names.baseStack,
    pace,
    say: progress.say,
    onEvent: progress.event,
  });
  await ensureServiceRoles(session, progress.say);
  const sinceMs = pace.nowMs();
  progress.say(`deploying ${names.baseStack} to ${session.account}/${session.region}`);
  try {
    const deployed = await deployTemplates(service, image);
    const { outputs } = await landed({
      client: cloudformation,
      stack: names.baseStack,
      image,
      pace,
      say: progress.say,
      onEvent: progress.event,
    });
    progress.close();
    await recordDeployment(table, { atMs: pace.nowMs(), image, by: session.arn });
    const lambda = new LambdaClient(clientOf(session));
    const takeover = takeDomain ? await takeOver({ ...service, lambda, say: progress.say }) : null;
    // It makes the domain's record: who asks too early hears for 15 minutes of no such name.
    await wakeController(lambda, names);
    const burst = await burstFollows({
      ...service,
      lambda,
      sinceMs: sinceMs - clockSlackMs,
      say: progress.say,
    });
    const ok = burst.state !== "failed" && takeover?.ok !== false;
    const { unchanged, leftBehind } = deployed;
    const url = outputs.Url ?? null;
    return { ...empty, ok, url, unchanged, burst, takeover, failures: [], leftBehind };
  } catch (error) {
    progress.close();
    const mistake = asAwsMistake(error);
    if (mistake instanceof UserError || pace.signal.aborted) throw mistake;
    return { ...empty, ok: false, failures: await failuresOf(service, sinceMs, error) };
  }
}

async function deployTemplates(
  service: ServiceAt,
  image: string,
): ReturnType<typeof import("./toolkit.ts").deployStack> {
  const { loaded, pace, progress } = service;
  const { deployStack } = await import("./toolkit.ts");
  return assembled(service, image, async (made) => {
    // At the last moment: a burst may have begun while the image was built.
    await requireNotInUse(service, made);
    const tags = { [appTag]: loaded.config.name };
    const target = { folder: made.folder, tags, pollMs: pace.pollMs };
    return uninterrupted(deployStack(target, progress), pace.signal);
  });
}

/** The toolkit cannot be interrupted: we leave, and CloudFormation goes on by itself. */
export async function uninterrupted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  // Nobody listens any more after an interruption.
  work.catch(() => {});
  const left = new Promise<never>((_, reject) => {
    const leave = (): void => reject(signal.reason);
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave, { once: true });
  });
  left.catch(() => {});
  return Promise.race([work, left]);
}

/** The resources' own reasons; what the toolkit says if there are none. */
async function failuresOf(
  { cloudformation, names }: ServiceAt,
  sinceMs: number,
  error: unknown,
): Promise<readonly ResourceFailure[]> {
  const stack = await readStack(cloudformation, names.baseStack).catch(() => null);
  const since = sinceMs - clockSlackMs;
  const own = stack === null ? [] : await failuresSince(cloudformation, stack.id, since);
  if (own.length > 0) return own;
  const reason = error instanceof Error ? error.message : String(error);
  const type = "AWS::CloudFormation::Stack";
  return [{ resource: names.baseStack, type, status: stack?.status ?? "", reason }];
}
