/** Waits until the service takes requests. */
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createHttpClient } from "./http-client.ts";
import type { Log } from "./log.ts";
import { uptimeMs } from "./uptime.ts";
import { includesStatus, type Readiness } from "./variables.ts";

/** Quick while most services start, then at the adapter's pace. */
const pollMs = { first: 2, later: 10, laterAfterMs: 1000 };
/** How often a long start is reported, as the adapter does. */
const reportMs = 2000;
const readinessBodyBytesMax = 16 * 1024 * 1024;

/**
 * Resolves with `true` when a check succeeds, with `false` when `signal` fires first. There is no
 * deadline here: Lambda has one, and it knows when the init phase began.
 */
export async function waitReady(
  host: string,
  readiness: Readiness,
  signal: AbortSignal,
  onLog: Log,
): Promise<boolean> {
  const begunMs = uptimeMs();
  let reportAtMs = reportMs;
  const check = readiness.protocol === "tcp" ? checkTcp : checkHttp;
  while (!signal.aborted) {
    const failure = await check(host, readiness, signal);
    if (failure === null) return true;
    if (signal.aborted) break;
    const elapsedMs = uptimeMs() - begunMs;
    if (elapsedMs >= reportAtMs) {
      onLog(`the service is not ready after ${Math.round(elapsedMs)} ms: ${failure}`);
      reportAtMs += reportMs;
    }
    const pause = elapsedMs < pollMs.laterAfterMs ? pollMs.first : pollMs.later;
    await sleep(pause, undefined, { signal }).catch(() => undefined);
  }
  return false;
}

/** `null` if healthy, else why not. */
async function checkHttp(
  host: string,
  readiness: Readiness,
  signal: AbortSignal,
): Promise<string | null> {
  const { port, path } = readiness;
  const client = createHttpClient({ host, port, bodyBytesMax: readinessBodyBytesMax });
  const stop = (): void => client.abort("stopped");
  signal.addEventListener("abort", stop, { once: true });
  const address = `${host}:${port}`;
  try {
    const { status } = await client.exchange({
      method: "GET",
      target: path,
      headers: [
        ["host", address],
        ["connection", "close"],
      ],
      body: "",
    });
    return includesStatus(readiness.healthy, status) ? null : `GET ${path} answers ${status}`;
  } catch (error) {
    return `${address}: ${(error as Error).message}`;
  } finally {
    signal.removeEventListener("abort", stop);
    client.abort("checked");
  }
}

function checkTcp(host: string, { port }: Readiness): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once("connect", () => {
      socket.destroy();
      resolve(null);
    });
    socket.once("error", (error) => resolve(`${host}:${port}: ${error.message}`));
  });
}
