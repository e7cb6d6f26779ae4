/**
 * One execution environment of the controller: the bundle in a thread of its own, which can be
 * ended at any moment as Lambda would. Time, sleep and probes are the world's.
 */
import { Worker } from "node:worker_threads";
import type { World } from "../world/world.ts";
import type { FromEnvironment, Started, ToEnvironment } from "./thread.ts";

/** What became of an invocation. */
export type InvocationEnd =
  | { readonly type: "returned"; readonly outcome: string; readonly failure: string }
  | { readonly type: "threw"; readonly error: string }
  | { readonly type: "died" };

/** A running environment. */
export interface Environment {
  invoke(event: unknown, remainingMs: number): Promise<InvocationEnd>;
  /** Ends it between two instructions. */
  kill(): Promise<void>;
  readonly dead: boolean;
  readonly log: string[];
}

/** What an environment needs. */
export interface EnvironmentParts {
  readonly world: World;
  readonly bundle: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly probe: (target: { address: string; url: URL }) => Promise<boolean>;
  /** Lets time pass while the controller sleeps. */
  readonly sleep: (ms: number) => void;
}

let invocations = 0;

/** Starts an environment; its first invocation loads the bundle. */
export function startEnvironment(parts: EnvironmentParts): Environment {
  const { world, bundle, variables } = parts;
  const clock = new Float64Array(new SharedArrayBuffer(8));
  clock[0] = world.nowMs;
  const stopWatching = world.watch((nowMs) => {
    clock[0] = nowMs;
  });
  const started: Started = { bundle, variables, clock };
  const worker = new Worker(new URL("thread.ts", import.meta.url), {
    workerData: started,
    env: { ...variables, NODE_ENV: "production" },
  });
  worker.unref();
  let finish: (end: InvocationEnd) => void = () => undefined;
  let dead = false;
  const log: string[] = [];
  const answer = (message: ToEnvironment): void => worker.postMessage(message);
  const end = (): void => {
    if (dead) return;
    dead = true;
    stopWatching();
    finish({ type: "died" });
  };
  worker.on("message", (message: FromEnvironment) => {
    if (message.type === "log") log.push(message.line);
    else if (message.type === "sleep") {
      parts.sleep(message.ms);
      answer({ type: "slept", id: message.id });
    } else if (message.type === "probe") {
      parts
        .probe({ address: message.address, url: new URL(message.url) })
        .then((ok) => answer({ type: "probed", id: message.id, ok }))
        .catch(end);
    } else finish(message.end);
  });
  worker.on("error", (error) => {
    log.push(`the thread failed: ${error.stack}`);
    end();
  });
  worker.on("exit", end);
  return {
    invoke(event, remainingMs) {
      invocations += 1;
      const requestId = `request-${invocations}`;
      return new Promise((resolve) => {
        finish = resolve;
        answer({ type: "invoke", event, remainingMs, requestId });
      });
    },
    async kill() {
      end();
      await worker.terminate();
    },
    get dead() {
      return dead;
    },
    log,
  };
}
