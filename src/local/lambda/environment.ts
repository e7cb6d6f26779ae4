/**
 * One execution environment: a process of the service behind a Runtime API of its own.
 *
 * It takes one invocation at a time. An invocation lasts until the runtime asks for the next one,
 * as on Lambda; the function's time limit covers all of it and ends the environment.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { createLastWords } from "../last-words.ts";
import { portTaken, promisePort } from "../ports.ts";
import { processes, type Sandbox } from "../sandbox.ts";
import type { ServiceSpec } from "../service.ts";
import type { Invocation, InvocationResult } from "./invocation.ts";
import { RuntimeApi } from "./runtime-api.ts";

/** What an environment runs, and its limits. */
export interface EnvironmentOptions {
  readonly id: string;
  readonly service: ServiceSpec;
  /** The runtime in front of the service's command; empty when the command is a runtime itself. */
  readonly bootstrap: readonly string[];
  readonly memoryMB: number;
  /** Real milliseconds for one invocation. */
  readonly timeoutMs: number;
  readonly onLog: (line: string) => void;
  /** An invocation has ended after so many real milliseconds, each begun one counted. */
  readonly onBilled?: (durationMs: number) => void;
}

/** What the pool hears of an environment, never before `startEnvironment` has returned. */
export interface EnvironmentEvents {
  /** It waits for an invocation. */
  readonly onIdle: () => void;
  /** It waits no longer, although it was given nothing. */
  readonly onLost: () => void;
  /** Its invocation has been answered; it may still be busy. */
  readonly onAnswered: (invocation: Invocation, result: InvocationResult) => void;
  /** It has ended. `initialised` is false when it never waited for an invocation. */
  readonly onGone: (initialised: boolean, reason: string) => void;
}

/** An environment as the pool uses it. */
export interface Environment {
  readonly id: string;
  /** Hands over an invocation; only while it waits for one. */
  invoke(invocation: Invocation): void;
  /** SIGTERM, then after `graceMs` SIGKILL. Reports nothing more. */
  stop(graceMs: number): Promise<void>;
}

/** Attempts with another port when the service finds its port taken. */
const portAttempts = 3;
/** A runtime that has reported an error should exit by itself; it gets this long. */
const initErrorGraceMs = 500;
/** The last words of a process may arrive after the news of its end. */
const lastWordsMs = 20;
const region = "us-east-1";
/** A function gets one vCPU at 1,769 MB (AWS: Configure Lambda function memory). */
const memoryMBPerVcpu = 1769;

/** Starts an environment; everything that happens to it is reported as an event. */
export function startEnvironment(
  options: EnvironmentOptions,
  events: EnvironmentEvents,
): Environment {
  const environment = new ProcessEnvironment(options, events);
  environment.begin();
  return environment;
}

class ProcessEnvironment implements Environment {
  readonly id: string;
  readonly #options: EnvironmentOptions;
  readonly #events: EnvironmentEvents;
  #api: RuntimeApi | null = null;
  #child: Sandbox | null = null;
  #invocation: Invocation | null = null;
  #initialised = false;
  #over = false;
  #timer: NodeJS.Timeout | undefined;
  /** When the present invocation must be over, real time; one timer looks after all in turn. */
  #dueMs = Number.POSITIVE_INFINITY;
  /** When it began, `null` between two. */
  #begunMs: number | null = null;
  #limit: NodeJS.Timeout | undefined;
  readonly #heard = createLastWords();
  #initError: string | null = null;
  #portTaken = false;

  constructor(options: EnvironmentOptions, events: EnvironmentEvents) {
    this.id = options.id;
    this.#options = options;
    this.#events = events;
  }

  begin(): void {
    const { timeoutMs } = this.#options.service.readiness;
    this.#timer = setTimeout(() => {
      this.#end("Runtime.InitError", `the service was not ready within ${timeoutMs / 1000} s`);
    }, timeoutMs);
    this.#run().catch((error: unknown) => {
      this.#end("Runtime.InitError", error instanceof Error ? error.message : String(error));
    });
  }

  invoke(invocation: Invocation): void {
    this.#invocation = invocation;
    const { timeoutMs } = this.#options;
    this.#begunMs = performance.now();
    this.#dueMs = this.#begunMs + timeoutMs;
    this.#limit ??= setTimeout(() => this.#look(), timeoutMs);
    this.#child?.thaw();
    this.#api?.deliver(invocation);
  }

  #look(): void {
    this.#limit = undefined;
    if (this.#dueMs === Number.POSITIVE_INFINITY) return;
    const leftMs = this.#dueMs - performance.now();
    if (leftMs > 0) {
      this.#limit = setTimeout(() => this.#look(), leftMs);
      return;
    }
    const seconds = (this.#options.timeoutMs / 1000).toFixed(2);
    this.#end("Sandbox.Timedout", `the function timed out after ${seconds} seconds`);
  }

  async stop(graceMs: number): Promise<void> {
    // The Runtime API stays open until the process has exited, so that it can leave in peace.
    this.#over = true;
    this.#clearTimers();
    this.#fail("Sandbox.Stopped", "the environment was stopped");
    await this.#child?.stop(graceMs);
  }

  /** Runs the process, again on another port when its port was taken meanwhile. */
  async #run(): Promise<void> {
    let code = 0;
    for (let attempt = 1; attempt <= portAttempts && !this.#over; attempt += 1) {
      this.#portTaken = false;
      this.#initError = null;
      code = await this.#runOnce();
      if (this.#initialised || !this.#portTaken) break;
    }
    if (this.#over) return;
    const when = this.#initialised ? "" : " before it was ready";
    const reason = this.#initError ?? `the process exited with code ${code}${when}`;
    this.#end("Runtime.ExitError", reason);
  }

  async #runOnce(): Promise<number> {
    const { service, timeoutMs, bootstrap, memoryMB } = this.#options;
    const name = service.name.replace(/[^A-Za-z0-9-_]/g, "-");
    const functionArn = `arn:aws:lambda:${region}:000000000000:function:${name}`;
    const api = new RuntimeApi(
      { functionArn, timeoutMs },
      {
        onNext: () => this.#next(),
        onNextLost: () => this.#lost(),
        onResult: (result) => this.#answered(result),
        onInitError: (reason) => {
          this.#initError = `the runtime could not initialise: ${reason}`;
          void this.#child?.stop(initErrorGraceMs);
        },
      },
    );
    const sandboxes = service.sandboxes ?? processes;
    const [apiPort, { port, giveBack }] = await Promise.all([
      api.listen(sandboxes.here.listen),
      promisePort(),
    ]);
    try {
      if (this.#over) return 0;
      this.#api = api;
      const child = await sandboxes.start({
        tier: "lambda",
        id: this.id,
        service,
        launcher: bootstrap,
        env: variables(this.#options, name, `${sandboxes.here.host}:${apiPort}`),
        port,
        limits: { memoryMB, vcpu: memoryMB / memoryMBPerVcpu },
        onLine: (line) => this.#line(line),
      });
      this.#child = child;
      // It may have been given up while its sandbox was being made.
      if (this.#over) child.kill();
      const code = await this.#child.exited;
      await sleep(lastWordsMs);
      return code;
    } finally {
      giveBack();
      api.close();
    }
  }

  #line(line: string): void {
    this.#heard.hear(line);
    if (!this.#initialised && portTaken.test(line)) this.#portTaken = true;
    this.#options.onLog(`[${this.id}] ${line}`);
  }

  #next(): void {
    if (this.#over) return;
    this.#bill();
    this.#dueMs = Number.POSITIVE_INFINITY;
    clearTimeout(this.#timer);
    this.#initialised = true;
    this.#child?.freeze();
    this.#events.onIdle();
  }

  /** The runtime hung up while it waited: it has to come back within the function's time limit. */
  #lost(): void {
    if (this.#over) return;
    this.#timer = setTimeout(() => {
      this.#end("Runtime.ExitError", "the runtime no longer asks for invocations");
    }, this.#options.timeoutMs);
    this.#events.onLost();
  }

  #answered(result: InvocationResult): void {
    const invocation = this.#invocation;
    if (this.#over || invocation === null) return;
    this.#invocation = null;
    if (result.type !== "error" || result.errorType !== "Runtime.ExitError") {
      this.#events.onAnswered(invocation, result);
      return;
    }
    // The runtime only knows that the service has ended: why, its last words tell.
    setTimeout(() => {
      const message = this.#told(result.message);
      this.#events.onAnswered(invocation, { ...result, message });
    }, lastWordsMs);
  }

  #told(reason: string): string {
    const { words } = this.#heard;
    return words === "" ? reason : `${reason}; last output: ${words}`;
  }

  /** What the service does after its answer is part of the invocation, and of the bill. */
  #bill(): void {
    if (this.#begunMs === null) return;
    this.#options.onBilled?.(Math.ceil(performance.now() - this.#begunMs));
    this.#begunMs = null;
  }

  #clearTimers(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#limit);
  }

  /** Ends the environment for a reason of its own. */
  #end(errorType: string, reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#bill();
    this.#clearTimers();
    this.#child?.kill();
    this.#api?.close();
    const told = this.#told(reason);
    this.#fail(errorType, told);
    this.#events.onGone(this.#initialised, told);
  }

  #fail(errorType: string, message: string): void {
    const invocation = this.#invocation;
    this.#invocation = null;
    if (invocation === null) return;
    this.#events.onAnswered(invocation, { type: "error", errorType, message });
  }
}

/** The environment of the process: what Lambda sets, and nothing that we happen to have. */
function variables(
  options: EnvironmentOptions,
  functionName: string,
  runtimeApi: string,
): Record<string, string> {
  const { service, memoryMB } = options;
  return {
    AWS_LAMBDA_RUNTIME_API: runtimeApi,
    AWS_LAMBDA_FUNCTION_NAME: functionName,
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMB),
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_LWA_READINESS_CHECK_PATH: service.readiness.path,
    AWS_LWA_READINESS_CHECK_HEALTHY_STATUS: "200-299",
    LAMBDAFLEX_TIER: "lambda",
    LAMBDAFLEX_DIGEST: service.digest,
  };
}
