/**
 * The guard in AWS Lambda. CloudFormation calls it when the base stack is made, changed and
 * removed; the alarm on the controller's errors calls it to pass the word on.
 */
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { onceOnly, retrying } from "../aws/clients.ts";
import { deploymentNames } from "../core/deployment.ts";
import {
  answer,
  type CustomResourceEvent,
  isCustomResource,
  type SendAnswer,
} from "./custom-resource.ts";
import { clearUp, updateProblem } from "./guard.ts";
import { guardWorld } from "./guard-world.ts";
import type { InvocationContext } from "./handler.ts";

/** What the guard is given besides the event. */
export interface GuardOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly send: SendAnswer;
}

/** The function that Lambda calls. */
export type GuardHandler = (event: unknown, context: InvocationContext) => Promise<void>;

/** Time to answer, or to hand over to the next run. */
const reserveMs = 60_000;

/** Makes the handler. */
export function createGuard(options: GuardOptions): GuardHandler {
  return (event, context) =>
    isCustomResource(event)
      ? serve(options, event, context)
      : tellAlarm(options, (event ?? {}) as AlarmEvent);
}

/** Whatever happens, CloudFormation gets an answer, or the next run does it. */
async function serve(
  options: GuardOptions,
  event: CustomResourceEvent,
  context: InvocationContext,
): Promise<void> {
  let failure: string | null;
  try {
    if (event.RequestType === "Delete") {
      if (!(await remove(options, event, context))) return;
      failure = null;
    } else {
      failure = updateProblem(event);
    }
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  await answer(event, failure, options.send, options.sleep);
}

/** Resolves with whether all is gone; otherwise the next run has been asked for. */
async function remove(
  options: GuardOptions,
  event: CustomResourceEvent,
  context: InvocationContext,
): Promise<boolean> {
  const { nowMs, sleep, environment } = options;
  const settings = { region: environment.AWS_REGION ?? "" };
  const outcome = await clearUp({
    world: guardWorld(event.ResourceProperties, settings, sleep),
    progress: event.progress ?? { sinceMs: nowMs(), onLambdaMs: null, failures: 0 },
    untilMs: nowMs() + context.getRemainingTimeInMillis() - reserveMs,
    nowMs,
    sleep,
  });
  if (outcome.done) return true;
  const next: CustomResourceEvent = { ...event, progress: outcome.progress };
  await new LambdaClient(retrying(settings)).send(
    new InvokeCommand({
      FunctionName: deploymentNames(environment.LAMBDAFLEX_APP ?? "").guardFunction,
      InvocationType: "Event",
      Payload: new TextEncoder().encode(JSON.stringify(next)),
    }),
  );
  return false;
}

/** What CloudWatch sends to a function that an alarm invokes, as far as it is read here. */
interface AlarmEvent {
  readonly alarmData?: { readonly state?: { readonly value?: string; readonly reason?: string } };
}

/** An alarm that ends is told as well: somebody may be looking for the fault. */
async function tellAlarm({ environment }: GuardOptions, event: AlarmEvent): Promise<void> {
  const { LAMBDAFLEX_APP: app, LAMBDAFLEX_TOPIC: TopicArn, AWS_REGION: region = "" } = environment;
  const { value, reason = "" } = event.alarmData?.state ?? {};
  const [short, long] =
    value === "OK"
      ? ["works again", "works again."]
      : ["fails", "fails: the service runs, but no longer changes its tier."];
  const hint = "`lambdaflex logs` shows what it says itself.";
  await new SNSClient(onceOnly({ region })).send(
    new PublishCommand({
      TopicArn,
      Subject: `${app}: the controller ${short}`,
      Message: `The controller of ${app} ${long}\n\n${hint}\n\n${reason.slice(0, 2000)}`,
    }),
  );
}
