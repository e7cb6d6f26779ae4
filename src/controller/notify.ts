/** Tells people: a topic for mail and the like, and a webhook that Slack understands. */
import { PublishCommand, type SNSClient } from "@aws-sdk/client-sns";
import type { EngineEvent } from "../core/index.ts";
import type { Webhook } from "./webhook.ts";

/** Who is told. */
export interface Audience {
  readonly app: string;
  readonly topic: { readonly arn: string; readonly client: SNSClient } | null;
  readonly webhook: Webhook | null;
}

/** Notices of one tick at most; a tick has a handful of events. */
const noticesMax = 10;

/** Longest message; Slack takes 3,000 characters and SNS 256 KB. */
const messageMax = 2_500;

/** Changes of the target, ends of transitions and failures; single steps are in the history. */
export function isNotified({ type }: EngineEvent): boolean {
  return type === "decision" || type === "failure" || type === "notice";
}

/**
 * Tells about events. Resolves with what went wrong in doing so: a mail that cannot be sent must
 * not keep traffic from moving.
 */
export async function notify(
  audience: Audience,
  events: readonly EngineEvent[],
): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const event of events.filter(isNotified).slice(0, noticesMax)) {
    const outcomes = await Promise.allSettled([publish(audience, event), post(audience, event)]);
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") problems.push(String(outcome.reason?.message));
    }
  }
  return problems;
}

async function publish({ app, topic }: Audience, event: EngineEvent): Promise<void> {
  if (topic === null) return;
  const data = JSON.stringify(event.data, null, 1);
  await topic.client.send(
    new PublishCommand({
      TopicArn: topic.arn,
      Subject: subjectOf(app, event),
      Message: `${textOf(app, event)}\n\n${data}`.slice(0, 2 * messageMax),
      MessageAttributes: { type: { DataType: "String", StringValue: event.type } },
    }),
  );
}

async function post({ app, webhook }: Audience, event: EngineEvent): Promise<void> {
  await webhook?.post({ text: textOf(app, event) });
}

/** One line with the time, for a channel that holds several applications. */
function textOf(app: string, event: EngineEvent): string {
  const time = new Date(event.atMs).toISOString().replace(/\.\d+/, "");
  return `${app}: ${event.message} (${event.type}, ${event.phase}, ${time})`.slice(0, messageMax);
}

/** SNS takes 100 printable ASCII characters. */
function subjectOf(app: string, event: EngineEvent): string {
  const words: Readonly<Record<string, string>> = { decision: "moves", failure: "FAILURE" };
  const text = `${app} ${words[event.type] ?? event.type}: ${event.message}`;
  return text
    .replace(/→/g, "->")
    .replace(/[^ -~]+/g, "?")
    .slice(0, 99);
}
