/**
 * Lambda sends SIGTERM to a runtime only in environments that have an extension. Registering as
 * one, for no events at all, is what buys the service its graceful shutdown.
 */
import { createHttpClient, type HttpAnswer, HttpError } from "./http-client.ts";

const answerBytesMax = 65_536;
/** An emulator that never answers must not hold up the start. */
const registerMsMax = 500;

/**
 * Resolves when the registration has been answered, whatever the answer: emulators without an
 * Extensions API just leave the environment without SIGTERM, as AWS would without an extension.
 */
export async function registerExtension(address: string): Promise<void> {
  const colon = address.lastIndexOf(":");
  const client = createHttpClient({
    host: address.slice(0, colon),
    port: Number(address.slice(colon + 1)),
    bodyBytesMax: answerBytesMax,
  });
  const base = "/2020-01-01/extension";
  const timer = setTimeout(() => client.abort("no answer"), registerMsMax);
  const body = '{"events":[]}';
  const registered = await quietly(
    client.exchange({
      method: "POST",
      target: `${base}/register`,
      headers: [
        ["host", address],
        ["lambda-extension-name", "lambdaflex"],
        ["content-type", "application/json"],
        ["content-length", String(body.length)],
      ],
      body,
    }),
  );
  clearTimeout(timer);
  const id = registered?.headers.find(([name]) => /^lambda-extension-identifier$/i.test(name))?.[1];
  if (registered?.status !== 200 || id === undefined) {
    client.abort("not registered");
    return;
  }
  // The init phase ends when every extension waits for its next event; for this one none comes.
  const headers = [
    ["host", address],
    ["lambda-extension-identifier", id],
  ] as const;
  const next = { method: "GET", target: `${base}/event/next`, headers, body: "" };
  void quietly(client.exchange(next));
}

async function quietly(exchange: Promise<HttpAnswer>): Promise<HttpAnswer | null> {
  try {
    return await exchange;
  } catch (error) {
    if (error instanceof HttpError) return null;
    throw error;
  }
}
