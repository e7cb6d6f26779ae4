/** Inside the environment's thread: loads the bundle and hands it time, sleep and probes. */
import { parentPort, workerData } from "node:worker_threads";
import type { ControllerHandler, createHandler } from "../../../src/controller/handler.ts";
import type { InvocationEnd } from "./environment.ts";

/** What the thread is started with. */
export interface Started {
  readonly bundle: string;
  readonly variables: Readonly<Record<string, string>>;
  /** The world's time, in shared memory. */
  readonly clock: Float64Array;
}

/** What the thread tells. */
export type FromEnvironment =
  | { readonly type: "log"; readonly line: string }
  | { readonly type: "sleep"; readonly id: number; readonly ms: number }
  | {
      readonly type: "probe";
      readonly id: number;
      readonly address: string;
      readonly url: string;
    }
  | { readonly type: "ended"; readonly end: InvocationEnd };

/** What the thread is told. */
export type ToEnvironment =
  | {
      readonly type: "invoke";
      readonly event: unknown;
      readonly remainingMs: number;
      readonly requestId: string;
    }
  | { readonly type: "slept"; readonly id: number }
  | { readonly type: "probed"; readonly id: number; readonly ok: boolean };

const started = workerData as Started;
const nowMs = (): number => started.clock[0] ?? 0;
const tell = (message: FromEnvironment): void => parentPort?.postMessage(message);

/**
 * The SDK waits in real time between its attempts and for answers that do not come. Nothing of
 * that depends on how long it is, so it may go faster.
 */
const impatience = 5;
const realTimeout = globalThis.setTimeout;
globalThis.setTimeout = Object.assign(
  (run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
    realTimeout(run, ms / impatience, ...args),
  realTimeout,
) as typeof setTimeout;

let questions = 0;
const open = new Map<number, (ok: boolean) => void>();

function ask(question: (id: number) => FromEnvironment): Promise<boolean> {
  questions += 1;
  const id = questions;
  return new Promise((resolve) => {
    open.set(id, resolve);
    tell(question(id));
  });
}

function resolve(id: number, ok: boolean): void {
  open.get(id)?.(ok);
  open.delete(id);
}

interface BundleModule {
  readonly createHandler: typeof createHandler;
}

let handler: ControllerHandler | null = null;

async function loaded(): Promise<ControllerHandler> {
  if (handler) return handler;
  const module = (await import(started.bundle)) as BundleModule;
  handler = module.createHandler({
    environment: started.variables,
    nowMs,
    sleep: async (ms) => {
      await ask((id) => ({ type: "sleep", id, ms }));
    },
    write: (line) => tell({ type: "log", line }),
    probe: ({ address, url }) => ask((id) => ({ type: "probe", id, address, url: url.href })),
  });
  return handler;
}

async function invoke(message: Extract<ToEnvironment, { type: "invoke" }>): Promise<void> {
  const untilMs = nowMs() + message.remainingMs;
  const context = {
    awsRequestId: message.requestId,
    getRemainingTimeInMillis: () => untilMs - nowMs(),
  };
  try {
    const { outcome, failure } = await (await loaded())(message.event, context);
    tell({ type: "ended", end: { type: "returned", outcome, failure } });
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    tell({ type: "ended", end: { type: "threw", error: text } });
  }
}

parentPort?.on("message", (message: ToEnvironment) => {
  if (message.type === "slept") resolve(message.id, true);
  else if (message.type === "probed") resolve(message.id, message.ok);
  else void invoke(message);
});
