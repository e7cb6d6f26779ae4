/** The client of the Lambda Runtime API, version 2018-06-01. */
import type { InvocationFacts } from "./events.ts";
import type { Headers } from "./http-answer.ts";
import { createHttpClient, type HttpAnswer, HttpError, type Upload } from "./http-client.ts";
import type { Log } from "./log.ts";

/** One invocation: the event as it came, and what is said about it. */
export interface Invocation extends InvocationFacts {
  readonly event: Buffer;
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

  const post = async (path: string, body: string, headers: Headers): Promise<void> => {
    const length: [string, string] = ["content-length", String(Buffer.byteLength(body))];
    const all = [["host", address] as const, ...headers, length];
    try {
      const request = { method: "POST", target: base + path, headers: all, body };
      const { status, body: why } = await client.exchange(request);
      if (status >= 300) onLog(`Lambda answered ${status} to ${path}: ${why}`);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      onLog(`Lambda did not take ${path}: ${error.message}`);
    }
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
      const request = { method: "GET", target: `${base}/invocation/next` };
      const headers: Headers = [["host", address]];
      polling = true;
      try {
        const answer = await client.exchange({ ...request, headers, body: "" });
        if (answer.status === 200) return invocationOf(answer, functionJson);
        onLog(`Lambda answered ${answer.status} instead of an invocation`);
      } catch (error) {
        if (!(error instanceof HttpError)) throw error;
        if (!closed) onLog(`Lambda is gone: ${error.message}`);
      } finally {
        polling = false;
      }
      return null;
    },
    respond: (requestId, response) =>
      post(`/invocation/${requestId}/response`, response, [["content-type", "application/json"]]),
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
  const named = new Map(answer.headers.map(([name, value]) => [name.toLowerCase(), value]));
  const requestId = named.get("lambda-runtime-aws-request-id");
  if (!requestId || !/^[\w.:-]+$/.test(requestId)) return null;
  const deadline = named.get("lambda-runtime-deadline-ms") ?? "";
  const traceId = named.get("lambda-runtime-trace-id") ?? null;
  const tenantId = named.get("lambda-runtime-aws-tenant-id") ?? null;
  const deadlineMs = /^\d+$/.test(deadline) ? Number(deadline) : null;
  const arn = named.get("lambda-runtime-invoked-function-arn") ?? "";
  const contextJson =
    `{"request_id":${JSON.stringify(requestId)},"deadline":${deadlineMs ?? 0},` +
    `"invoked_function_arn":${JSON.stringify(arn)},` +
    `"xray_trace_id":${JSON.stringify(traceId)},` +
    `"client_context":${jsonOrNull(named.get("lambda-runtime-client-context"))},` +
    `"identity":${jsonOrNull(named.get("lambda-runtime-cognito-identity"))},` +
    `"tenant_id":${JSON.stringify(tenantId)},"env_config":${functionJson}}`;
  return { requestId, deadlineMs, traceId, tenantId, contextJson, event: answer.body };
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
