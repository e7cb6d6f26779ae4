/**
 * The process that is killed: a lambdaflex with its controller, both tiers and DNS, without load.
 * It is `lambdaflex dev` that tells its parent, over a pipe of its own, what it does.
 */

import { asUserError } from "../../src/cli/local-errors.ts";
import { lockState, prepare } from "../../src/cli/prepare.ts";
import { UserError } from "../../src/config/errors.ts";
import { profileOf } from "../../src/config/policy.ts";
import { firstAnswer } from "../../src/local/first-answer.ts";
import { openRunFiles } from "../../src/local/run-files.ts";
import { createLocalStream } from "../../src/local/run-stream.ts";
import { type Local, startLocal } from "../../src/local/start.ts";
import type { Facts, Told } from "./life.ts";

const lookMs = 10;
const [folder = ".", speed = "1", seed = "1"] = process.argv.slice(2);
const tell = (message: Told): void => {
  if (process.connected) process.send?.(message, () => undefined);
};

async function main(): Promise<void> {
  const { signal } = new AbortController();
  const prepared = await prepare(folder, () => undefined, signal);
  const state = await lockState(prepared.loaded.folder, "chaos");
  const run = { ...prepared.local, speed: Number(speed), seed: Number(seed), startMs: Date.now() };
  const stream = createLocalStream({
    command: "dev",
    local: run,
    profile: profileOf(prepared.loaded.config),
  });
  const files = await openRunFiles(state.path, stream);
  let phase: Facts["phase"] = "steady";
  let target: Facts["target"] = "lambda";
  let failedTicks = 0;
  let local: Local | null = null;
  local = await startLocal({
    ...run,
    stateFolder: state.path,
    snapshot: files.report,
    onTick: (result, atMs) => {
      if (result.ok) {
        phase = result.step.phase;
        target = result.step.status.target;
      } else {
        failedTicks += 1;
        tell({ type: "line", line: `${result.during}: ${result.error.message}` });
      }
      stream.onTick(result, atMs);
    },
    onAlarm: stream.onAlarm,
    onLog: (line) => {
      tell({ type: "line", line });
      files.log(line, local?.clock.nowMs() ?? run.startMs);
    },
  });
  const running = local;
  stream.attach(running);
  running.crashed.catch((error: Error) => {
    tell({ type: "line", line: `the engine crashed: ${error.stack}` });
    process.exit(70);
  });
  await firstAnswer(running, signal);
  tell({ type: "ready", host: running.host, dns: running.dns });
  const toldFaults = new WeakSet<object>();
  setInterval(() => {
    for (const fault of running.faults.faults) {
      if (!toldFaults.has(fault)) tell({ type: "line", line: `${fault.kind} ${fault.reason}` });
      toldFaults.add(fault);
    }
    const { stack } = running.plane.facts;
    const healthy = running.fargateStats()?.healthy ?? 0;
    const weight = running.plane.effectiveRoute.fargate;
    tell({ type: "facts", facts: { phase, target, weight, stack, healthy, failedTicks } });
  }, lookMs);
  process.on("message", async () => {
    await running.stop();
    stream.stop();
    await files.close();
    await state.release();
    await prepared.close();
    process.exit(0);
  });
}

process.on("disconnect", () => process.exit(1));
await main().catch((error: unknown) => {
  const known = asUserError(error);
  if (!(known instanceof UserError)) throw error;
  process.stderr.write(`${known.code}: ${known.message}\n`);
  process.exit(2);
});
