/** One request over a connection of its own, and everything about its answer, byte for byte. */
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import type { Fields, Observed, ReplayRequest } from "../parity/observed.ts";
import type { Endpoint } from "./service.ts";

/** How a request is sent. */
export interface AskOptions {
  /** Real milliseconds. @default 35,000, more than any tier lets an answer take */
  readonly timeoutMs?: number;
  /** Bytes of an answer that are read. @default 64 MB */
  readonly bodyBytesMax?: number;
  /** `Host`, unless the request has one. @default parity.test */
  readonly host?: string;
  /** Send the body in chunks of this size. @default with a Content-Length */
  readonly chunkBytes?: number;
  readonly trailers?: Fields;
}

/** Sends a request and resolves with what came, in any case. */
export function ask(
  endpoint: Endpoint,
  request: ReplayRequest,
  options: AskOptions = {},
): Promise<Observed> {
  return new Promise((resolve) => {
    const interim: number[] = [];
    const sent = httpRequest({
      method: request.method,
      path: request.target,
      headers: headersOf(request, options) as unknown as string[],
      setHost: false,
      setDefaultHeaders: false,
      createConnection: () => connect({ ...endpoint, noDelay: true }),
    });
    const fail = (reason: string): void => {
      clearTimeout(timer);
      sent.destroy();
      resolve({ type: "none", reason });
    };
    const timer = setTimeout(() => fail("no answer in time"), options.timeoutMs ?? 35_000);
    sent.on("information", ({ statusCode }) => {
      if (statusCode !== 100) interim.push(statusCode);
    });
    sent.on("error", (error) => fail((error as NodeJS.ErrnoException).code ?? error.message));
    sent.on("upgrade", (_response, socket) => {
      socket.destroy();
      fail("an upgrade");
    });
    sent.on("response", (response) => {
      collect(response, options.bodyBytesMax ?? 64 * 1024 * 1024, (body, problem) => {
        if (body === null) {
          fail(problem);
          return;
        }
        clearTimeout(timer);
        sent.destroy();
        resolve({
          type: "answer",
          status: response.statusCode ?? 0,
          reason: response.statusMessage ?? "",
          headers: inPairs(response.rawHeaders),
          body,
          trailers: inPairs(response.rawTrailers),
          interim,
        });
      });
    });
    write(sent, request, options);
  });
}

function write(
  sent: ReturnType<typeof httpRequest>,
  { body }: ReplayRequest,
  { chunkBytes, trailers }: AskOptions,
): void {
  if (trailers) sent.addTrailers(trailers.map(([name, value]): [string, string] => [name, value]));
  // Else Node would announce a chunked body for a POST that has none.
  if (body === null) sent.useChunkedEncodingByDefault = false;
  if (body === null || chunkBytes === undefined) {
    sent.end(body ?? undefined);
    return;
  }
  for (let at = 0; at < body.length; at += chunkBytes) sent.write(body.slice(at, at + chunkBytes));
  sent.end();
}

/** Names and values in turn: Node sends such a list as it is. */
function headersOf({ headers, body }: ReplayRequest, options: AskOptions): readonly string[] {
  const has = (wanted: string): boolean => headers.some(([name]) => name.toLowerCase() === wanted);
  const list = headers.flat();
  if (!has("host")) list.unshift("host", options.host ?? "parity.test");
  if (options.chunkBytes !== undefined) {
    if (options.trailers) list.push("trailer", options.trailers.map(([name]) => name).join(", "));
    list.push("transfer-encoding", "chunked");
  } else if (body !== null && !has("content-length")) {
    list.push("content-length", String(body.length));
  }
  if (!has("connection")) list.push("connection", "close");
  return list;
}

function collect(
  response: IncomingMessage,
  bytesMax: number,
  done: (body: Buffer | null, problem: string) => void,
): void {
  const pieces: Buffer[] = [];
  let bytes = 0;
  response.on("data", (piece: Buffer) => {
    bytes += piece.length;
    if (bytes > bytesMax) done(null, "the answer is too long");
    else pieces.push(piece);
  });
  response.on("close", () => {
    if (response.complete) done(Buffer.concat(pieces), "");
    else done(null, "the answer broke off");
  });
  response.on("error", () => undefined);
}

function inPairs(list: readonly string[]): Fields {
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < list.length; at += 2) pairs.push([list[at] ?? "", list[at + 1] ?? ""]);
  return pairs;
}
