/** On Lambda: wait ready → bridge → drain. */
import { bridge } from "./bridge.ts";
import { registerExtension } from "./extension.ts";
import type { Log } from "./log.ts";
import { waitReady } from "./readiness.ts";
import { createRuntimeApi } from "./runtime-api.ts";
import type { Service } from "./service.ts";
import { type Settings, VariableError } from "./variables.ts";

/** Lambda ends the init phase after 10 s; a service that may be late is left to start behind it. */
const asyncInitMs = 9800;

/** Serves invocations until the environment ends; resolves with the exit code. */
export async function runOnLambda(
  service: Service,
  settings: Settings,
  onLog: Log,
): Promise<number> {
  const runtime = createRuntimeApi(settings.runtimeApi, process.env, onLog);
  const ending = new AbortController();
  let stopping = false;
  const stop = (): void => {
    stopping = true;
    ending.abort();
    runtime.close();
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  void service.exited.then(() => ending.abort());

  const ready = waitReady(settings.host, settings.readiness, ending.signal, onLog);
  // The extension is registered with Lambda itself, also if a proxy sits before the Runtime API.
  const extension = registerExtension(process.env.AWS_LAMBDA_RUNTIME_API ?? settings.runtimeApi);
  const settled = settings.asyncInit ? Promise.race([ready, timeout(asyncInitMs)]) : ready;
  if ((await settled) === false && service.exit) {
    const reason = service.exit.reason;
    onLog(`the service ended before it was ready: ${reason}`);
    await runtime.failInit({ type: "Runtime.ExitError", message: `the service ended: ${reason}` });
    return service.exit.code || 1;
  }
  await extension;
  await bridge({ settings, runtime, service, ready, nowMs: () => Date.now(), onLog });
  if (service.exit) {
    onLog(`the service ended: ${service.exit.reason}`);
    return service.exit.code;
  }
  const { code } = await service.stop("SIGTERM", settings.stopMs);
  return stopping ? code : 0;
}

function timeout(ms: number): Promise<null> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms, null).unref();
  });
}

/** Reports why nothing was started, to Lambda too if it is there; resolves with the exit code. */
export async function refuseStart(
  error: unknown,
  env: Readonly<Record<string, string | undefined>>,
  onLog: Log,
): Promise<number> {
  if (!(error instanceof VariableError)) throw error;
  onLog(error.message);
  const address = env.AWS_LAMBDA_RUNTIME_API ?? "";
  if (/^[^\s:/]+:\d+$/.test(address)) {
    const runtime = createRuntimeApi(address, env, onLog);
    await runtime.failInit({ type: "Runtime.InvalidVariable", message: error.message });
  }
  return 2;
}
