/** Starts moto, an emulator of AWS that others wrote, and ends it again. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** A running moto. */
export interface Moto {
  readonly endpoint: string;
  stop(): Promise<void>;
}

/** Where `moto_server` is, from the environment; `null` if it is nowhere. */
export function motoServer(): string | null {
  const path = process.env.MOTO_SERVER ?? "";
  return path !== "" && existsSync(path) ? path : null;
}

/** Python takes a while to load it. */
const startMsMax = 60_000;

/** As much of its complaints as is kept, characters. */
const saidMax = 4000;

/** Starts it at a free port of 127.0.0.1 and waits until it answers. */
export async function startMoto(program: string): Promise<Moto> {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const child = spawn(program, ["-H", "127.0.0.1", "-p", String(port)], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-saidMax);
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
  };
  const untilMs = performance.now() + startMsMax;
  for (;;) {
    const answers = await fetch(`${endpoint}/moto-api/`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (answers) return { endpoint, stop };
    if (performance.now() > untilMs || child.exitCode !== null) {
      await stop();
      throw new Error(`moto_server did not start (exit ${child.exitCode}):\n${said}`);
    }
    await delay(100);
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
