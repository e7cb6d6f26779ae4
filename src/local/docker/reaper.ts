/**
 * Outlives lambdaflex by a moment: when it dies, however it dies, the kernel closes the pipe to
 * this program, which then removes all containers of the run.
 *
 * Containers belong to the engine, not to us, so that no signal to a process group reaches them.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { connectEngine } from "./engine.ts";
import { sweepRun } from "./sweep.ts";

/** Starts the program for a run; `dismiss` when everything has been removed. */
export function startReaper(run: string): { dismiss(): void } {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), run], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  child.on("error", () => undefined);
  child.stdin.on("error", () => undefined);
  child.unref();
  return {
    dismiss() {
      child.kill("SIGKILL");
    },
  };
}

/** A container that was being made when its maker died appears a moment later. */
const rounds = 5;
const pauseMs = 1000;

async function reap(run: string): Promise<void> {
  const docker = await connectEngine();
  for (let round = 0; round < rounds; round += 1) {
    await sweepRun(docker, run);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

const [, program, run] = process.argv;
if (program === fileURLToPath(import.meta.url) && run !== undefined) {
  process.stdin.resume();
  process.stdin.on("end", () => {
    reap(run).finally(() => process.exit());
  });
}
