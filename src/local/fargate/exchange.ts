/**
 * One request through the balancer: pick a target, stream both ways, and send it again when, and
 * only when, nobody can notice.
 *
 * A request is sent again if no byte of it was sent, or if it is idempotent and its connection
 * broke before a byte of the answer came. That is what makes scale-in and restarts lossless.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Admitted } from "./admission.ts";
import type { AnswerHead } from "./answer-reader.ts";
import { fieldKind } from "./fields.ts";
import type { Target, TargetGroup } from "./targets.ts";
import type { Reuse, UpstreamCall, UpstreamFailure, UpstreamSink } from "./upstream.ts";

/** What an exchange needs besides its request. */
export interface ExchangeOptions {
  readonly group: TargetGroup;
  readonly onLog: (line: string) => void;
  /** Called once, when the answer has left or the client has. */
  readonly onOver: (status: number) => void;
  /** Asked when the answer starts: whether the connection ends with it. */
  readonly closes: () => boolean;
  /** A request, as "GET /path", got something from the target that is no answer. */
  readonly onMalformed: (request: string, detail: string) => void;
}

/** A request on its way. */
export interface Exchange {
  /** The client has gone. */
  abort(): void;
  /** Whether the client, not the target, is what everything waits for. */
  clientStalls(): boolean;
}

/** Methods whose repetition changes nothing (RFC 9110, 9.2.2). */
const idempotent = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);
/** Body bytes of an idempotent request that are kept, in case it must be sent again. */
const replayBytesMax = 16 * 1024;
/** Targets that a request may find closed before it fails. */
const attemptsMax = 3;
/** Bodies up to this size leave in one write with their head. */
const joinedBytesMax = 8 * 1024;
/** What a load balancer of AWS logs when the client closed the connection. */
export const clientGone: number = 460;

/** Hands one request on. */
export function startExchange(
  request: IncomingMessage,
  response: ServerResponse,
  admitted: Admitted,
  options: ExchangeOptions,
): Exchange {
  const method = request.method ?? "GET";
  const repeatable = idempotent.has(method);
  const tried: Target[] = [];
  let target: Target | null = null;
  let call: UpstreamCall | null = null;
  let over = false;
  let resent = false;
  let headWaits = false;
  let bodyLeft = admitted.body !== null;
  let replay: Buffer[] | null = repeatable ? [] : null;
  let replayBytes = 0;

  /** Ends the part of the target, exactly once for each attempt. */
  const leaveTarget = (reusable: boolean): void => {
    call?.release(reusable && !bodyLeft);
    call = null;
    if (target) options.group.done(target);
    target = null;
  };
  const finish = (status: number): void => {
    if (over) return;
    over = true;
    leaveTarget(false);
    if (bodyLeft) {
      request.off("data", onBody).off("end", onBodyEnd);
      request.resume();
    }
    options.onOver(status);
  };
  const refuse = (status: number, reason: string): void => {
    options.onLog(`${status} ${method} ${request.url}: ${reason}`);
    if (bodyLeft || options.closes()) response.shouldKeepAlive = false;
    answerPlainly(response, status);
  };

  const sendPiece = (piece: Buffer): boolean => {
    if (!call) return true;
    return admitted.body === "chunked" ? call.writeChunk(piece) : call.write(piece);
  };
  const onBody = (piece: Buffer): void => {
    replayBytes += piece.length;
    if (replayBytes > replayBytesMax) replay = null;
    replay?.push(piece);
    if (!sendPiece(piece)) request.pause();
  };
  const onBodyEnd = (): void => {
    bodyLeft = false;
    if (admitted.body === "chunked") call?.write(`0\r\n${trailerLines(request)}\r\n`);
  };
  const startBody = (): void => {
    if (admitted.body === null) return;
    if (resent) for (const piece of replay ?? []) sendPiece(piece);
    if (!bodyLeft) {
      onBodyEnd();
      return;
    }
    if (request.listenerCount("data") === 0) request.on("data", onBody).on("end", onBodyEnd);
    request.resume();
  };

  const onFailure = (failure: UpstreamFailure): void => {
    const failed = target;
    leaveTarget(false);
    if (over) return;
    const { kind, detail } = failure;
    if (kind === "malformed") options.onMalformed(`${method} ${request.url}`, detail);
    if (response.headersSent) {
      options.onLog(`answer to ${method} ${request.url} cut off: ${failure.detail}`);
      finish(502);
      response.destroy();
      return;
    }
    if (failed) tried.push(failed);
    const unsent = failure.kind === "refused" && tried.length < attemptsMax;
    const unanswered = failure.kind === "closed" && !failure.answered;
    const resends = unanswered && repeatable && !resent && (replay !== null || !admitted.body);
    if (unsent || resends) {
      if (resends) resent = true;
      if (admitted.body !== null) request.pause();
      attempt("fresh");
      return;
    }
    const status = failure.kind === "timeout" ? 504 : 502;
    refuse(status, `${failed?.id ?? "target"}: ${failure.kind}, ${failure.detail}`);
  };

  const sink: UpstreamSink = {
    onReady(begun) {
      call = begun;
      // The client may have gone while the connection was being made.
      if (over) leaveTarget(false);
      else startBody();
    },
    onPartial() {
      // A head whose body lets itself be waited for leaves alone; else both leave in one write.
      if (headWaits && !over) response.flushHeaders();
      headWaits = false;
    },
    onDrain: () => request.resume(),
    onInterim(head) {
      if (head.status === 100 && !over) response.writeContinue();
    },
    onHead(head) {
      if (over) return;
      if (options.closes()) response.shouldKeepAlive = false;
      writeHead(response, request, head);
      headWaits = true;
    },
    onData(piece) {
      headWaits = false;
      if (over || response.write(piece)) return;
      call?.pause();
      response.once("drain", () => call?.resume());
    },
    onEnd(last, trailers) {
      leaveTarget(true);
      if (over) return;
      if (trailers.length > 0) response.addTrailers(inPairs(trailers));
      endWith(response, last);
    },
    onTunnel: (_head, _rest, socket) => {
      socket.destroy();
      onFailure({ kind: "malformed", detail: "a tunnel nobody asked for", answered: true });
    },
    onFailure,
    clientStalls: () => (bodyLeft && !request.isPaused()) || response.writableNeedDrain,
  };

  const attempt = (reuse: Reuse): void => {
    target = options.group.take(tried) ?? (tried.length > 0 ? options.group.take([]) : null);
    if (target) target.upstream.send(admitted.head, method, reuse, sink);
    else refuse(503, "no target");
  };

  response.on("finish", () => finish(response.statusCode));
  attempt(repeatable ? "any" : "recent");
  return {
    abort: () => finish(clientGone),
    clientStalls: sink.clientStalls,
  };
}

/** The trailers of a request: those that could be mistaken for something else end here. */
function trailerLines({ rawTrailers }: IncomingMessage): string {
  let text = "";
  for (let i = 0; i < rawTrailers.length; i += 2) {
    const name = rawTrailers[i] ?? "";
    if (fieldKind(name) === "pass") text += `${name}: ${rawTrailers[i + 1]}\r\n`;
  }
  return text;
}

/** Passes the head of an answer on. */
function writeHead(response: ServerResponse, request: IncomingMessage, head: AnswerHead): void {
  let { fields } = head;
  // Node refuses announced trailers where it cannot send them: to a client of HTTP/1.0.
  if (head.framing === "chunked" && request.httpVersion !== "1.1") {
    fields = fields.filter((_, i) => fields[i - (i % 2)]?.toLowerCase() !== "trailer");
  }
  response.writeHead(head.status, head.reason, fields as string[]);
}

/** Node sends a string together with the head in one plain write, which is much cheaper. */
function endWith(response: ServerResponse, last: Buffer | null): void {
  if (!last) response.end();
  else if (last.length > joinedBytesMax) response.end(last);
  else response.end(last.toString("latin1"), "latin1");
}

function inPairs(fields: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i < fields.length; i += 2) pairs.push([fields[i] ?? "", fields[i + 1] ?? ""]);
  return pairs;
}

const reasons: Readonly<Record<number, string>> = {
  400: "Bad Request",
  404: "Not Found",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

/** An answer of the balancer's own. */
export function answerPlainly(response: ServerResponse, status: number): void {
  const text = `${status} ${reasons[status] ?? ""}\n`;
  response.writeHead(status, [
    "Server",
    "lambdaflex-balancer",
    "Content-Type",
    "text/plain; charset=utf-8",
    "Content-Length",
    String(text.length),
  ]);
  response.end(text);
}

/** The head of a plain answer, for connections that have no response object. */
export function plainHead(status: number): string {
  const text = `HTTP/1.1 ${status} ${reasons[status] ?? ""}\r\n`;
  return `${text}Connection: close\r\nContent-Length: 0\r\n\r\n`;
}
