/** The entry of the guard's bundle: its handler with the real clock. */
import { setTimeout as delay } from "node:timers/promises";
import { createGuard, type GuardHandler } from "./guard-handler.ts";

/** An answer that hangs is sent again while there is time: five attempts and their waits fit. */
const answerMs = 4_000;

/** What Lambda calls. */
export const handler: GuardHandler = createGuard({
  environment: process.env,
  nowMs: () => Date.now(),
  sleep: (ms) => delay(ms),
  send: (url, init) => fetch(url, { ...init, signal: AbortSignal.timeout(answerMs) }),
});
