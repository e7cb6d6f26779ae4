/** The controller of an account on this machine: its handler, woken as AWS would wake it. */
import { setTimeout as sleep } from "node:timers/promises";
import { openTable, readStatus, writeStatus } from "../../../src/aws/table.ts";
import { type ControllerHandler, createHandler } from "../../../src/controller/handler.ts";
import type { Override } from "../../../src/core/index.ts";
import { ConflictError } from "../../../src/core/index.ts";
import { probeOf } from "../../aws/world/probe.ts";
import type { World } from "../../aws/world/world.ts";
import { type Account, names } from "./account.ts";

/** A controller that runs. */
export interface Controlling {
  /** Says where the service shall be, as a person does. */
  override(word: Override): Promise<void>;
  readonly log: readonly string[];
  stop(): Promise<void>;
}

/** Lambda ends an invocation after this. */
const timeoutMs = 55_000;

/** Real time between two invocations: a minute of the account passes in each. */
const betweenMs = 20;

/** Runs the controller as long as its function exists. */
export function runController({ world, aws }: Account): Controlling {
  Object.assign(process.env, aws.environment);
  const log: string[] = [];
  let stopped = false;
  let made: { readonly of: string; readonly handler: ControllerHandler } | null = null;
  const handlerNow = (): ControllerHandler | null => {
    const environment = world.functions.get(names.controllerFunction)?.environment;
    if (environment === undefined) return null;
    const of = JSON.stringify(environment);
    if (made?.of !== of) made = { of, handler: handlerOf(world, environment, log) };
    return made.handler;
  };
  const work = async (): Promise<void> => {
    while (!stopped) {
      const begunMs = world.nowMs;
      const context = {
        awsRequestId: world.uniqueId(12),
        getRemainingTimeInMillis: () => begunMs + timeoutMs - world.nowMs,
      };
      await handlerNow()?.({ source: "tick" }, context).catch((error: Error) => {
        log.push(`ended: ${error.message}`);
      });
      world.advance(Math.max(0, begunMs + 60_000 - world.nowMs));
      await sleep(betweenMs);
    }
  };
  const working = work();
  return {
    log,
    async override(word) {
      const table = openTable(names.table, { region: world.region });
      for (;;) {
        const status = await readStatus(table);
        try {
          return await writeStatus(table, {
            ...status,
            revision: status.revision + 1,
            override: word,
          });
        } catch (error) {
          if (!(error instanceof ConflictError)) throw error;
        }
      }
    },
    async stop() {
      stopped = true;
      await working;
    },
  };
}

function handlerOf(
  world: World,
  environment: Readonly<Record<string, string>>,
  log: string[],
): ControllerHandler {
  return createHandler({
    environment: { ...environment, AWS_REGION: world.region },
    nowMs: () => world.nowMs,
    sleep: async (ms) => world.advance(ms),
    write: (line) => log.push(line),
    probe: probeOf(world),
  });
}
