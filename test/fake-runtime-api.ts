/** A Lambda Runtime API that a test drives: it hands out invocations and collects the answers. */
import assert from "node:assert/strict";
import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

/** What the runtime did with an invocation. */
export interface Outcome {
  readonly kind: "response" | "error";
  readonly body: Buffer;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: NodeJS.Dict<string>;
}

/** Settings of one invocation. */
export interface InvokeOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** @default 10 s from now */
  readonly deadlineMs?: number;
  /** Sees the bytes of a streamed answer as they come. */
  readonly onData?: (chunk: Buffer) => void;
}

/** The server and its recordings. */
export interface FakeRuntimeApi {
  /** `host:port`, for AWS_LAMBDA_RUNTIME_API. */
  readonly address: string;
  /** Resolves with the answer to `event`, which may be JSON text. */
  invoke(event: unknown, options?: InvokeOptions): Promise<Outcome>;
  /** Resolves when the runtime waits for an invocation. */
  polled(): Promise<void>;
  /** Resolves with the body of a report of a failed start. */
  readonly initError: Promise<Record<string, unknown>>;
  /** Names of registered extensions. */
  readonly extensions: readonly string[];
  /** Connections that were opened. */
  readonly connections: number;
  close(): void;
}

interface Pending {
  readonly id: string;
  readonly event: Buffer;
  readonly options: InvokeOptions;
  readonly resolve: (outcome: Outcome) => void;
}

/** Starts it on a free loopback port. */
export async function startFakeRuntimeApi(): Promise<FakeRuntimeApi> {
  const queue: Pending[] = [];
  const running = new Map<string, Pending>();
  const extensions: string[] = [];
  const initError = Promise.withResolvers<Record<string, unknown>>();
  let waiting: ServerResponse | null = null;
  let onPoll: (() => void)[] = [];
  let count = 0;
  let connections = 0;

  const deliver = (): void => {
    if (!waiting) return;
    const pending = queue.shift();
    if (!pending) return;
    running.set(pending.id, pending);
    waiting.writeHead(200, {
      "lambda-runtime-aws-request-id": pending.id,
      "lambda-runtime-deadline-ms": String(pending.options.deadlineMs ?? Date.now() + 10_000),
      "lambda-runtime-invoked-function-arn": "arn:aws:lambda:us-east-1:1:function:pets",
      "lambda-runtime-trace-id": `Root=1-${pending.id}`,
      ...pending.options.headers,
    });
    waiting.end(pending.event);
    waiting = null;
  };

  const receive = async (request: IncomingMessage, path: string): Promise<number> => {
    const [, id = "", kind = ""] = /^invocation\/([^/]+)\/(response|error)$/.exec(path) ?? [];
    const pending = running.get(id);
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(chunk);
      pending?.options.onData?.(chunk);
    }
    const body = Buffer.concat(chunks);
    const { headers, trailers } = request;
    if (path === "init/error") initError.resolve(JSON.parse(body.toString()));
    else if (!pending) return 400;
    else {
      running.delete(id);
      pending.resolve({ kind: kind === "error" ? "error" : "response", body, headers, trailers });
    }
    return 202;
  };

  const server = createServer(async (request, response) => {
    const path = request.url?.replace("/2018-06-01/runtime/", "") ?? "";
    if (path === "invocation/next") {
      waiting = response;
      for (const resolve of onPoll.splice(0)) resolve();
      deliver();
    } else if (path === "/2020-01-01/extension/register") {
      extensions.push(String(request.headers["lambda-extension-name"]));
      response.writeHead(200, { "lambda-extension-identifier": "extension-1" }).end("{}");
    } else if (path !== "/2020-01-01/extension/event/next") {
      const status = await receive(request, path).catch(() => 0);
      response.writeHead(status || 500).end("{}");
    }
  });
  server.on("connection", () => {
    connections += 1;
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  return {
    address: `127.0.0.1:${port}`,
    invoke(event, options = {}) {
      count += 1;
      const text = typeof event === "string" ? event : JSON.stringify(event);
      assert(text !== undefined);
      const { promise, resolve } = Promise.withResolvers<Outcome>();
      queue.push({ id: `request-${count}`, event: Buffer.from(text), options, resolve });
      deliver();
      return promise;
    },
    polled() {
      if (waiting) return Promise.resolve();
      return new Promise((resolve) => {
        onPoll.push(resolve);
      });
    },
    initError: initError.promise,
    extensions,
    get connections() {
      return connections;
    },
    close() {
      onPoll = [];
      server.close();
      server.closeAllConnections();
    },
  };
}
