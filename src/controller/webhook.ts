/**
 * The webhook. Its address is a secret: it is read from where it is kept, stays in memory for a few
 * minutes, and appears in no log and no error.
 */
import { GetParameterCommand, type SSMClient } from "@aws-sdk/client-ssm";

/** Where notices are posted to. */
export interface Webhook {
  /** Posts JSON. Rejects with a message that does not tell the address. */
  post(body: { readonly text: string }): Promise<void>;
}

/** How a request is sent: `fetch`, or what a test puts in its place. */
export type Send = (address: string, init: RequestInit) => Promise<{ readonly status: number }>;

/** What a webhook needs. */
export interface WebhookParts {
  /** Name or ARN of a parameter, or ARN of a secret. */
  readonly reference: string;
  readonly client: SSMClient;
  readonly nowMs: () => number;
  readonly send: Send;
}

/** An address that was changed is noticed after this time. */
const knownForMs = 5 * 60_000;

const timeoutMs = 3_000;
const addressMax = 2_000;

/** A webhook whose address is kept at a reference. */
export function openWebhook(parts: WebhookParts): Webhook {
  let known: { readonly address: string; readonly atMs: number } | null = null;
  const address = async (): Promise<string> => {
    const nowMs = parts.nowMs();
    if (known !== null && nowMs - known.atMs < knownForMs) return known.address;
    known = { address: await readAddress(parts), atMs: nowMs };
    return known.address;
  };
  return {
    async post(body) {
      const target = await address();
      const status = await sendTo(parts.send, target, body);
      if (status < 200 || status >= 300) throw new Error(`the webhook answered ${status}`);
    },
  };
}

async function sendTo(
  send: Send,
  target: string,
  body: { readonly text: string },
): Promise<number> {
  try {
    const { status } = await send(target, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      // A redirect would carry the notice to where nobody asked for it.
      redirect: "error",
      signal: AbortSignal.timeout(timeoutMs),
    });
    return status;
  } catch (error) {
    // The message of a failed request may contain the address: only its kind is told.
    throw new Error(`the webhook cannot be reached (${(error as Error).name})`);
  }
}

/** Rejects without the value: a parameter may hold anything. */
async function readAddress({ client, reference }: WebhookParts): Promise<string> {
  const { Parameter: parameter } = await client.send(
    new GetParameterCommand({ Name: parameterName(reference), WithDecryption: true }),
  );
  const value = (parameter?.Value ?? "").trim();
  const valid = value.length <= addressMax && URL.canParse(value);
  if (!valid || new URL(value).protocol !== "https:") {
    throw new Error("the webhook's parameter holds no https address");
  }
  return value;
}

/** Parameter Store also reads secrets of Secrets Manager, by their name without the suffix. */
export function parameterName(reference: string): string {
  const secret = /^arn:[\w-]+:secretsmanager:[^:]+:\d+:secret:(.+)-\w{6}$/.exec(reference)?.[1];
  return secret === undefined ? reference : `/aws/reference/secretsmanager/${secret}`;
}
