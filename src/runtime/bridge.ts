/** The loop between the Runtime API and the service: one invocation at a time. */
import { compressed } from "./compression.ts";
import { createDeadline, type Deadline } from "./deadline.ts";
import { type EventKind, requestOf, type ServiceRequest } from "./events.ts";
import { DeadlineError, explain, StatusError, tooLarge } from "./failures.ts";
import { createHttpClient, type HttpAnswer, type HttpClient, type Upload } from "./http-client.ts";
import type { Log } from "./log.ts";
import { preludeOf, responseBytesMax, responseOf } from "./responses.ts";
import {
  errorTrailers,
  type FunctionError,
  type Invocation,
  type RuntimeApi,
} from "./runtime-api.ts";
import type { Service } from "./service.ts";
import { includesStatus, type Settings } from "./variables.ts";

/** What the bridge works with. */
export interface BridgeParts {
  readonly settings: Settings;
  readonly runtime: RuntimeApi;
  readonly service: Service;
  /** Whether the service got ready; awaited before the first request. */
  readonly ready: Promise<boolean>;
  /** Wall clock: deadlines are Unix time. */
  readonly nowMs: () => number;
  readonly onLog: Log;
}

/** What one invocation works with. */
interface Task extends BridgeParts {
  readonly client: HttpClient;
  readonly invocation: Invocation;
  /** `null` once it is known whether the service got ready. */
  readonly starting: Promise<boolean> | null;
  readonly deadline: Deadline;
}

/**
 * When the service ends during a request, its last bytes may still be in the socket: the exchange
 * gets this long to finish by itself.
 */
const lastBytesMs = 100;

/** A body of this size may still fit once it is compressed. */
const compressibleBytesMax = 8 * responseBytesMax;

/** Resolves when the runtime is closed, the sandbox is gone, or the service has ended. */
export async function bridge(parts: BridgeParts): Promise<void> {
  const { settings, runtime, service } = parts;
  const client = createHttpClient({
    host: settings.host,
    port: settings.port,
    bodyBytesMax: settings.compression ? compressibleBytesMax : responseBytesMax,
  });
  void service.exited.then(() => {
    runtime.close();
    setTimeout(() => client.abort("the service has ended"), lastBytesMs);
  });
  const expire = (): void => client.abort("the deadline of the invocation has passed");
  const deadline = createDeadline(parts.nowMs, expire);
  let starting: Promise<boolean> | null = parts.ready;
  void parts.ready.then(() => {
    starting = null;
  });
  for (;;) {
    const invocation = await runtime.next();
    if (!invocation) break;
    await serve({ ...parts, client, deadline, starting, invocation });
  }
  deadline.close();
  client.abort("the bridge is closed");
}

async function serve(task: Task): Promise<void> {
  const { runtime, onLog, deadline } = task;
  const { requestId, deadlineMs } = task.invocation;
  deadline.begin(answerByMs(deadlineMs, task.nowMs()));
  const failure = await answer(task);
  if (failure) {
    onLog(`invocation ${requestId} failed: ${failure.type}: ${failure.message.slice(0, 500)}`);
    await runtime.fail(requestId, failure);
  }
  deadline.end();
}

/** Lambda ends an environment that is late by a millisecond: its word must come before. */
const marginMs = 200;

/** When clients must be told that there is no answer: a little before the invocation ends. */
function answerByMs(deadlineMs: number | null, nowMs: number): number | null {
  if (deadlineMs === null || deadlineMs <= nowMs) return deadlineMs;
  return deadlineMs - Math.min(marginMs, (deadlineMs - nowMs) / 10);
}

/** Resolves with the failure to report, `null` if the invocation has been answered. */
async function answer(task: Task): Promise<FunctionError | null> {
  const { settings, runtime, service, client, invocation, deadline } = task;
  let kind: EventKind = "other";
  try {
    const request = requestOf(invocation.event, invocation, settings);
    kind = request.kind;
    // A service that never got ready refuses the connection, which says why.
    if (task.starting) await deadline.within(task.starting);
    if (settings.invokeMode === "response_stream" && request.kind !== "other") {
      return await answerInStream(task, request);
    }
    const answered = await client.exchange(request);
    if (includesStatus(settings.errorStatuses, answered.status)) {
      throw new StatusError(answered.status, answered.body);
    }
    const shrunk = settings.compression ? await compressed(request.headers, answered) : answered;
    const response = responseOf(request.kind, shrunk);
    if (isTooLarge(response)) return tooLarge;
    await runtime.respond(invocation.requestId, response);
    return null;
  } catch (error) {
    if (!deadline.passed) return explain(error, service);
    const { errorStatuses, invokeMode } = settings;
    if (kind === "other" || includesStatus(errorStatuses, gatewayTimeout.status)) {
      return explain(new DeadlineError(), service);
    }
    // The environment lives on, and clients get what a balancer would say.
    task.onLog(`invocation ${invocation.requestId}: no answer in time`);
    if (invokeMode === "buffered") {
      await runtime.respond(invocation.requestId, responseOf(kind, gatewayTimeout));
    } else await sayInStream(runtime, invocation.requestId, gatewayTimeout);
    return null;
  }
}

/** What clients get when the service has not answered in time. */
const gatewayTimeout: HttpAnswer = {
  status: 504,
  headers: [["content-type", "application/json"]],
  body: Buffer.from('{"message":"Gateway Timeout"}'),
};

async function sayInStream(
  runtime: RuntimeApi,
  requestId: string,
  answer: HttpAnswer,
): Promise<void> {
  const upload = runtime.stream(requestId);
  upload.write(preludeOf(answer));
  upload.write(answer.body);
  await finishUpload(upload, []);
}

/** A character takes three bytes at most, so that short responses need not be counted. */
function isTooLarge(response: string): boolean {
  if (response.length * 3 <= responseBytesMax) return false;
  return Buffer.byteLength(response) > responseBytesMax;
}

/** Bytes of an error answer that are reported. */
const errorBodyBytesMax = 65_536;

async function answerInStream(task: Task, request: ServiceRequest): Promise<FunctionError | null> {
  const { settings, runtime, service, client, invocation, deadline } = task;
  let upload: Upload | null = null;
  let errorBody = Buffer.alloc(0);
  try {
    const exchange = client.exchange(request, {
      onHead(head) {
        if (includesStatus(settings.errorStatuses, head.status)) return;
        upload = runtime.stream(invocation.requestId);
        upload.write(preludeOf(head));
      },
      onData(chunk) {
        if (upload) return upload.write(chunk);
        if (errorBody.length < errorBodyBytesMax) errorBody = Buffer.concat([errorBody, chunk]);
        return undefined;
      },
    });
    const answered = await exchange;
    if (!upload) throw new StatusError(answered.status, errorBody);
    await finishUpload(upload, []);
    return null;
  } catch (error) {
    if (!upload && deadline.passed) throw error;
    const failure = await explain(deadline.passed ? new DeadlineError() : error, service);
    if (!upload) return failure;
    await finishUpload(upload, errorTrailers(failure));
    task.onLog(`invocation ${invocation.requestId} broke off: ${failure.type}`);
    return null;
  }
}

/** If Lambda does not take the rest, the next poll shows whether it is still there. */
async function finishUpload(upload: Upload, trailers: Parameters<Upload["end"]>[0]): Promise<void> {
  await upload.end(trailers).catch(() => undefined);
}
