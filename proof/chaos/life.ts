/** One life of lambdaflex: a process of its own, from its start to the signal that ends it. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Phase, Tier } from "../../src/core/index.ts";
import type { PlaneFacts } from "../../src/local/control-plane.ts";
import type { Endpoint } from "../../src/local/service.ts";
import { speed } from "./service.ts";

/** What a running lambdaflex says of itself. */
export interface Facts {
  readonly phase: Phase;
  readonly target: Tier;
  /** Share of Fargate in what DNS answers now. */
  readonly weight: number;
  readonly stack: PlaneFacts["stack"];
  /** Tasks that the balancer finds healthy. */
  readonly healthy: number;
  /** Ticks that could not observe, commit or apply. */
  readonly failedTicks: number;
}

/** What it sends over the pipe. */
export type Told =
  | { readonly type: "ready"; readonly host: string; readonly dns: Endpoint }
  | { readonly type: "facts"; readonly facts: Facts }
  | { readonly type: "line"; readonly line: string };

/** A lambdaflex that runs. */
export interface Life {
  readonly pid: number;
  readonly host: string;
  readonly dns: Endpoint;
  readonly facts: Facts;
  /** Resolves when `holds`; rejects when the process ends, or after too long. */
  until(what: string, holds: (facts: Facts) => boolean): Promise<void>;
  /** Like the kernel when memory runs out. */
  kill(): void;
  /** In order; rejects when it does not end well. */
  stop(): Promise<void>;
}

/** It did not start: its exit code, and what it said. */
export class NotStarted extends Error {
  override readonly name = "NotStarted";
}

/** How long anything may take on a busy machine, real. */
const patienceMs = 60_000;
const linesMax = 60;
const cloudFile = fileURLToPath(new URL("./cloud.ts", import.meta.url));
const beginning: Facts = {
  phase: "steady",
  target: "lambda",
  weight: 0,
  stack: "absent",
  healthy: 0,
  failedTicks: 0,
};

/** Starts lambdaflex with the service in `folder`; resolves when it answers. */
export async function startLife(
  folder: string,
  seed: number,
  onLine: (line: string) => void,
): Promise<Life> {
  const child = fork(cloudFile, [folder, String(speed), String(seed)], {
    env: { ...process.env, NODE_OPTIONS: "", NO_COLOR: "1" },
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  const lines: string[] = [];
  const hear = (line: string): void => {
    onLine(line);
    lines.push(line);
    if (lines.length > linesMax) lines.shift();
  };
  child.stderr?.setEncoding("utf8").on("data", (text: string) => hear(text.trimEnd()));
  let facts = beginning;
  let running = true;
  let look = (): void => undefined;
  const ended = once(child, "close").then(([code, signal]) => {
    running = false;
    look();
    return code ?? signal;
  });
  const ready = Promise.withResolvers<Extract<Told, { type: "ready" }>>();
  child.on("message", (told: Told) => {
    if (told.type === "line") hear(told.line);
    else if (told.type === "ready") ready.resolve(told);
    else {
      facts = told.facts;
      look();
    }
  });
  const refused = ended.then((code): never => {
    throw new NotStarted(`ended with ${code}: ${lines.join("\n")}`);
  });
  const { host, dns } = await Promise.race([ready.promise, refused]);
  refused.catch(() => undefined);

  const until: Life["until"] = (what, holds) =>
    new Promise((resolve, reject) => {
      const settle = (error: Error | null): void => {
        clearTimeout(timer);
        look = () => undefined;
        if (error === null) resolve();
        else reject(error);
      };
      const story = (): string => `${what}; ${JSON.stringify(facts)}\n${lines.join("\n")}`;
      const timer = setTimeout(() => {
        settle(new Error(`not within ${patienceMs / 1000} s: ${story()}`));
      }, patienceMs);
      look = () => {
        if (!running) settle(new Error(`lambdaflex ended before: ${story()}`));
        else if (holds(facts)) settle(null);
      };
      look();
    });
  return {
    pid: child.pid ?? -1,
    host,
    dns,
    get facts() {
      return facts;
    },
    until,
    kill: () => void child.kill("SIGKILL"),
    async stop() {
      if (running) child.send("stop");
      const code = await ended;
      if (code !== 0) throw new Error(`lambdaflex ended with ${code}: ${lines.join("\n")}`);
    },
  };
}
