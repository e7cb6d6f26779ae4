/** The client of the Lambda Runtime API, version 2018-06-01. */
import type { InvocationFacts } from "./events.ts";
import type { Headers } from "./http-answer.ts";
import {
  createHttpClient,
  type HttpAnswer,
  HttpError,
  type HttpRequest,
  type Upload,
} from "./http-client.ts";
import type { Log } from "./log.ts";

/** One invocation: the event as it came, and what is said about it. */
export interface Invocation extends InvocationFacts {
  readonly event: Buffer;
  /** Whether the next poll may go out together with the response. */
  readonly pipelining: boolean;
}

/** Why an invocation, or the initialisation, failed. */
export interface FunctionError {
  /** `Category.Reason`, as Lambda writes it. */
  readonly type: string;
  readonly message: string;
}

/** The calls of a runtime. A call that Lambda does not take is logged: `next` shows what is up. */
export interface RuntimeApi {
  /** Waits for the next invocation, as long as it takes; `null` once the sandbox is gone. */
  next(): Promise<Invocation | null>;
  /** Where the invocation allows it, this asks for the next one too, and does not wait. */
  respond(requestId: string, response: string): Promise<void>;
  /** Opens a streamed response; its body starts with the prelude. */
  stream(requestId: string): Upload;
  fail(requestId: string, error: FunctionError): Promise<void>;
  failInit(error: FunctionError): Promise<void>;
  /** Lets the next and the current `next` resolve with `null`; a response under way is finished. */
  close(): void;
}

/** Events are 6 MB at most, asynchronous ones less. */
const eventBytesMax = 16 * 1024 * 1024;
/**
 * Longer responses go alone. A short one fits into the empty buffer of its socket, so that closing
 * the poll behind it cannot cut it off.
 */
const pipelinedMax = 8192;

/** `address` is `host:port`. */
export function createRuntimeApi(
  address: string,
  env: Readonly<Record<string, string | undefined>>,
  onLog: Log,
): RuntimeApi {
  const colon = address.lastIndexOf(":");
  const client = createHttpClient({
    host: address.slice(0, colon),
    port: Number(address.slice(colon + 1)),
    bodyBytesMax: eventBytesMax,
  });
  const base = "/2018-06-01/runtime";
  const functionJson = describeFunction(env);
  let closed = false;
  let polling = false;
  let pipelining = false;
  /** The answer to a poll that went out together with a response. */
  let ahead: Promise<HttpAnswer> | null = null;
  const poll: HttpRequest = {
    method: "GET",
    target: `${base}/invocation/next`,
    headers: [["host", address]],
    body: "",
  };

  const postOf = (path: string, body: string, headers: Headers): HttpRequest => {
    const length: [string, string] = ["content-length", String(Buffer.byteLength(body))];
    const all = [["host", address] as const, ...headers, length];
    return { method: "POST", target: base + path, headers: all, body };
  };
  const taken = async (path: string, receipt: Promise<HttpAnswer>): Promise<void> => {
    try {
      const { status, body: why } = await receipt;
      if (status >= 300) onLog(`Lambda answered ${status} to ${path}: ${why}`);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      if (error.kind !== "aborted") onLog(`Lambda did not take ${path}: ${error.message}`);
    }
  };
  const post = (path: string, body: string, headers: Headers): Promise<void> =>
    taken(path, client.exchange(postOf(path, body, headers)));
  const respond = async (requestId: string, response: string): Promise<void> => {
    const path = `/invocation/${requestId}/response`;
    const request = postOf(path, response, [["content-type", "application/json"]]);
    const mayFollow = pipelining && !closed && response.length <= pipelinedMax;
    const both = mayFollow ? client.exchangeBoth(request, poll) : null;
    if (both === null) return taken(path, client.exchange(request));
    polling = true;
    ahead = both.next;
    // Whoever polls next hears of a failure; until then it must not count as unhandled.
    ahead.catch(() => undefined);
    void taken(path, both.receipt);
  };
  const postError = async (path: string, error: FunctionError): Promise<void> => {
    const body = JSON.stringify({
      errorType: error.type,
      errorMessage: error.message,
      stackTrace: [],
    });
    await post(path, body, [
      ["content-type", "application/json"],
      ["lambda-runtime-function-error-type", error.type],
    ]);
  };

  return {
    async next() {
      if (closed) return null;
      polling = true;
      try {
        const answer = await (ahead ?? client.exchange(poll));
        if (answer.status === 200) {
          const invocation = invocationOf(answer, functionJson);
          pipelining = invocation?.pipelining ?? false;
          return invocation;
        }
        onLog(`Lambda answered ${answer.status} instead of an invocation`);
      } catch (error) {
        if (!(error instanceof HttpError)) throw error;
        if (!closed) onLog(`Lambda is gone: ${error.message}`);
      } finally {
        ahead = null;
        polling = false;
      }
      return null;
    },
    respond,
    stream: (requestId) =>
      client.upload({
        method: "POST",
        target: `${base}/invocation/${requestId}/response`,
        headers: [
          ["host", address],
          ["content-type", "application/vnd.awslambda.http-integration-response"],
          ["lambda-runtime-function-response-mode", "streaming"],
          ["transfer-encoding", "chunked"],
          ["trailer", "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body"],
        ],
      }),
    fail: (requestId, error) => postError(`/invocation/${requestId}/error`, error),
    failInit: (error) => postError("/init/error", error),
    close() {
      closed = true;
      if (polling) client.abort("stopping");
    },
  };
}

/** The trailers that tell Lambda of a failure after the head has gone. */
export function errorTrailers(error: FunctionError): Headers {
  const body = JSON.stringify({ errorType: error.type, errorMessage: error.message });
  return [
    ["Lambda-Runtime-Function-Error-Type", error.type],
    ["Lambda-Runtime-Function-Error-Body", Buffer.from(body).toString("base64")],
  ];
}

function invocationOf(answer: HttpAnswer, functionJson: string): Invocation | null {
  const named: Record<string, string | undefined> = Object.create(null);
  for (const [name, value] of answer.headers) named[name.toLowerCase()] = value;
  const requestId = named["lambda-runtime-aws-request-id"];
  if (!requestId || !/^[\w.:-]+$/.test(requestId)) return null;
  const deadline = named["lambda-runtime-deadline-ms"] ?? "";
  const traceId = named["lambda-runtime-trace-id"] ?? null;
  const tenantId = named["lambda-runtime-aws-tenant-id"] ?? null;
  const deadlineMs = /^\d+$/.test(deadline) ? Number(deadline) : null;
  const arn = named["lambda-runtime-invoked-function-arn"] ?? "";
  const contextJson =
    `{"request_id":"${requestId}","deadline":${deadlineMs ?? 0},` +
    `"invoked_function_arn":${JSON.stringify(arn)},` +
    `"xray_trace_id":${JSON.stringify(traceId)},` +
    `"client_context":${jsonOrNull(named["lambda-runtime-client-context"])},` +
    `"identity":${jsonOrNull(named["lambda-runtime-cognito-identity"])},` +
    `"tenant_id":${JSON.stringify(tenantId)},"env_config":${functionJson}}`;
  // Ours alone says this: the real Runtime API promises no such thing.
  const pipelining = named["lambdaflex-pipelining"] === "1";
  const event = answer.body;
  return { requestId, deadlineMs, traceId, tenantId, contextJson, event, pipelining };
}

function jsonOrNull(text: string | undefined): string {
  if (!text) return "null";
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return "null";
  }
}

function describeFunction(env: Readonly<Record<string, string | undefined>>): string {
  return JSON.stringify({
    function_name: env.AWS_LAMBDA_FUNCTION_NAME ?? "",
    memory: Number(env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE ?? 0) || 0,
    version: env.AWS_LAMBDA_FUNCTION_VERSION ?? "",
    log_stream: env.AWS_LAMBDA_LOG_STREAM_NAME ?? "",
    log_group: env.AWS_LAMBDA_LOG_GROUP_NAME ?? "",
  });
}
