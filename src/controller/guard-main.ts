/** The entry of the guard's bundle: its handler with the real clock. */
import { setTimeout as delay } from "node:timers/promises";
import { createGuard, type GuardHandler } from "./guard-handler.ts";

/** What Lambda calls. */
export const handler: GuardHandler = createGuard({
  environment: process.env,
  nowMs: () => Date.now(),
  sleep: (ms) => delay(ms),
  send: (url, init) => fetch(url, init),
});
