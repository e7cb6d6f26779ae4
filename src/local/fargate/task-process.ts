/** The process of one task: the bootstrap with the service's command, on a port of its own. */
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createLastWords } from "../last-words.ts";
import { portTaken, promisePort } from "../ports.ts";
import { processes, type Sandbox, type SandboxRequest } from "../sandbox.ts";
import type { Endpoint, ServiceSpec } from "../service.ts";

/** A started process that listens, or is about to. */
export interface TaskProcess {
  readonly endpoint: Endpoint;
  readonly pid: number;
  /** Resolves with a sentence when the process has ended: exit code and last words. */
  readonly ended: Promise<string>;
  /** Waits until the port takes connections, at most `timeoutMs` real milliseconds. */
  listening(timeoutMs: number, signal: AbortSignal): Promise<"up" | "ended" | "late">;
  /** Whether it found its port taken, and ended before it could have served. */
  readonly portTaken: boolean;
  /** SIGTERM, after `graceMs` real milliseconds SIGKILL. */
  stop(graceMs: number): Promise<void>;
  /** SIGKILL at once. */
  kill(): void;
}

/** Real milliseconds between two attempts to connect. */
const listeningPollMs = 25;
/** The last words of a process may arrive after the news of its end; real milliseconds. */
const lastWordsMs = 20;

/** What is started as a task. */
export interface TaskProcessRequest
  extends Pick<SandboxRequest, "id" | "service" | "launcher" | "limits" | "onLine"> {
  /** Real milliseconds between SIGTERM and SIGKILL, told to the bootstrap. */
  readonly stopTimeoutMs: number;
}

/** Starts the service on a free port. Rejects when its sandbox cannot be created. */
export async function startTaskProcess(request: TaskProcessRequest): Promise<TaskProcess> {
  const { service, onLine } = request;
  const heard = createLastWords();
  let taken = false;
  let young = true;
  const leashed = await start(request, (line) => {
    const text = line.trim();
    if (portTaken.test(text)) taken = true;
    heard.hear(text);
    onLine(line);
  });
  const { endpoint } = leashed;
  const grown = setTimeout(() => {
    young = false;
  }, service.readiness.timeoutMs);
  const ended = leashed.exited.then(async (code) => {
    clearTimeout(grown);
    await sleep(lastWordsMs);
    return `exited with code ${code}${heard.words === "" ? "" : `; last output: ${heard.words}`}`;
  });
  return {
    endpoint,
    pid: leashed.pid,
    ended,
    get portTaken() {
      // One that lived for longer than it may take to listen has ended for another reason.
      return taken && young;
    },
    async listening(timeoutMs, signal) {
      let late = false;
      const timer = setTimeout(() => {
        late = true;
      }, timeoutMs);
      let up = false;
      while (!up && leashed.running && !late && !signal.aborted) {
        up = await accepts(endpoint);
        if (!up) await sleep(listeningPollMs);
      }
      clearTimeout(timer);
      if (!leashed.running) return "ended";
      return up ? "up" : "late";
    },
    async stop(graceMs) {
      await leashed.stop(graceMs);
    },
    kill: () => leashed.kill(),
  };
}

async function start(
  request: TaskProcessRequest,
  onLine: (line: string) => void,
): Promise<Sandbox> {
  const { service, stopTimeoutMs } = request;
  const { port, giveBack } = await promisePort();
  try {
    const sandboxes = service.sandboxes ?? processes;
    const env = environmentOf(service, stopTimeoutMs, request.limits.vcpu);
    const sandbox = await sandboxes.start({ ...request, tier: "fargate", port, env, onLine });
    void sandbox.exited.then(giveBack);
    return sandbox;
  } catch (error) {
    giveBack();
    throw error;
  }
}

function environmentOf(
  service: ServiceSpec,
  stopTimeoutMs: number,
  vcpu: number,
): Record<string, string> {
  return {
    AWS_EXECUTION_ENV: "AWS_ECS_FARGATE",
    LAMBDAFLEX_TIER: "fargate",
    LAMBDAFLEX_VCPU: String(vcpu),
    LAMBDAFLEX_DIGEST: service.digest,
    LAMBDAFLEX_STOP_SECONDS: String(Math.max(1, Math.ceil(stopTimeoutMs / 1000))),
  };
}

function accepts({ host, port }: Endpoint): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
