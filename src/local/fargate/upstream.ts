/**
 * Keep-alive connections from the balancer to one target.
 *
 * Written on plain sockets because only so it is known whether a byte of a request was sent and
 * whether a byte of its answer came, which decides whether the request may be sent again.
 */
import { connect, type Socket } from "node:net";
import { afterPoll } from "../after-poll.ts";
import type { Endpoint } from "../service.ts";
import {
  type AnswerHead,
  type AnswerSink,
  BadAnswerError,
  createAnswerReader,
} from "./answer-reader.ts";

/** Why a request got no (whole) answer. */
export interface UpstreamFailure {
  /**
   * `refused`: no connection, or one that was found closed; nothing was sent. `closed`: it broke
   * before or within the answer. `malformed`: the answer is none. `timeout`: nothing moved for too
   * long.
   */
  readonly kind: "refused" | "closed" | "malformed" | "timeout";
  readonly detail: string;
  /** Whether a byte of the answer had come. */
  readonly answered: boolean;
}

/** Receives the answer to one request. */
export interface UpstreamSink extends Omit<AnswerSink, "onTunnel"> {
  /** The head of the request is on its way; its body may follow. */
  onReady(call: UpstreamCall): void;
  /** All bytes that came together have been passed on, and the answer is not complete yet. */
  onPartial(): void;
  /** The socket takes more of the request body. */
  onDrain(): void;
  /** The socket has become a tunnel; it is no longer ours. */
  onTunnel(head: AnswerHead, rest: Buffer, socket: Socket): void;
  onFailure(failure: UpstreamFailure): void;
  /** Whether it is the client that keeps the connection waiting; then it does not time out. */
  clientStalls(): boolean;
}

/** One request on its way. */
export interface UpstreamCall {
  /** Sends body bytes as they are. False: wait for `onDrain`. */
  write(piece: Buffer | string): boolean;
  /** Sends body bytes as one chunk. False: wait for `onDrain`. */
  writeChunk(piece: Buffer): boolean;
  pause(): void;
  resume(): void;
  /** Gives the connection up, or back when `reusable` and its answer allows it. */
  release(reusable: boolean): void;
}

/** The connections to one target. */
export interface Upstream {
  /**
   * Sends a request. `reuse` says which connections will do: what cannot be sent twice goes on a
   * `recent` one, which is hardly ever closed by the target in the same moment, and only after a
   * look whether it has been.
   */
  send(head: string, method: string, reuse: Reuse, sink: UpstreamSink): void;
  closeIdle(): void;
  /** Breaks everything, requests on their way included. */
  destroy(): void;
}

/** Which connections may carry a request. */
export type Reuse = "any" | "recent" | "fresh";

/** Idle connections kept for one target. */
const idleMax = 256;
/** Shorter than the keep-alive of common servers (Node and uvicorn 5 s), real milliseconds. */
const idleMsMax = 4000;
/** How long ago a "recent" connection was last used, at most; real milliseconds. */
const recentMsMax = 250;
/** Distance kept from the time-out that a target announces; real milliseconds. */
const hintMarginMs = 1000;

interface Connection {
  idleSinceMs: number;
  usableMs: number;
  /** Sends a request; with `looks` only after everything that has come by now was read. */
  send(head: string, method: string, sink: UpstreamSink, looks: boolean): void;
  destroy(): void;
}

/** A pool without connections; `timeoutMs` (real) is how long one may stand still in a request. */
export function createUpstream(endpoint: Endpoint, timeoutMs: number): Upstream {
  const idle: Connection[] = [];
  const all = new Set<Connection>();
  let open = true;

  const onIdle = (connection: Connection): void => {
    if (open && idle.length < idleMax && connection.usableMs > 0) idle.push(connection);
    else connection.destroy();
  };
  const onGone = (connection: Connection): void => {
    all.delete(connection);
    const at = idle.indexOf(connection);
    if (at >= 0) idle.splice(at, 1);
  };

  /** The connection used last is the least likely to be closed under the request. */
  const take = (reuse: Reuse): Connection | null => {
    if (reuse === "fresh") return null;
    const connection = idle.at(-1);
    if (!connection) return null;
    const idleMs = performance.now() - connection.idleSinceMs;
    if (idleMs > (reuse === "recent" ? recentMsMax : connection.usableMs)) return null;
    idle.pop();
    return connection;
  };

  const prune = (): void => {
    const now = performance.now();
    for (const connection of [...idle]) {
      if (now - connection.idleSinceMs > connection.usableMs) connection.destroy();
    }
  };
  const pruning = setInterval(prune, idleMsMax / 4).unref();

  return {
    send(head, method, reuse, sink) {
      const idling = take(reuse);
      const connection = idling ?? openConnection(endpoint, timeoutMs, onIdle, onGone);
      all.add(connection);
      connection.send(head, method, sink, idling !== null && reuse === "recent");
    },
    closeIdle() {
      open = false;
      for (const connection of [...idle]) connection.destroy();
    },
    destroy() {
      open = false;
      clearInterval(pruning);
      for (const connection of [...all]) connection.destroy();
    },
  };
}

function openConnection(
  endpoint: Endpoint,
  timeoutMs: number,
  onIdle: (connection: Connection) => void,
  onGone: (connection: Connection) => void,
): Connection {
  const socket = connect({ host: endpoint.host, port: endpoint.port, noDelay: true });
  const reader = createAnswerReader();
  let sink: UpstreamSink | null = null;
  let keepAlive = true;
  let waiting: (() => void) | null = null;

  /** How a connection that breaks now fails its request: while that waits, nothing was sent. */
  const broken = (): "refused" | "closed" => (waiting ? "refused" : "closed");
  const fail = (kind: UpstreamFailure["kind"], detail: string): void => {
    const failed = sink;
    sink = null;
    waiting = null;
    onGone(connection);
    socket.destroy();
    failed?.onFailure({ kind, detail, answered: reader.started });
  };

  const call: UpstreamCall = {
    write: (piece) => socket.write(piece as string, "latin1"),
    writeChunk(piece) {
      socket.cork();
      socket.write(`${piece.length.toString(16)}\r\n`, "latin1");
      socket.write(piece);
      const more = socket.write("\r\n", "latin1");
      socket.uncork();
      return more;
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    release(reusable) {
      sink = null;
      if (!reusable || !keepAlive || socket.destroyed) {
        fail("closed", "not reusable");
        return;
      }
      if (socket.isPaused()) socket.resume();
      connection.idleSinceMs = performance.now();
      onIdle(connection);
    },
  };

  const answers: AnswerSink = {
    onInterim: (head) => sink?.onInterim(head),
    onHead(head) {
      keepAlive = head.keepAlive;
      if (head.keepAliveMs !== null) {
        connection.usableMs = Math.min(idleMsMax, head.keepAliveMs - hintMarginMs);
      }
      sink?.onHead(head);
    },
    onData: (piece) => sink?.onData(piece),
    onEnd: (last, trailers) => sink?.onEnd(last, trailers),
    onTunnel(head, rest) {
      const tunnelled = sink;
      sink = null;
      socket.removeAllListeners("data").removeAllListeners("timeout").setTimeout(0);
      tunnelled?.onTunnel(head, rest, socket);
    },
  };

  const connection: Connection = {
    idleSinceMs: 0,
    usableMs: idleMsMax,
    send(head, method, to, looks) {
      sink = to;
      waiting = () => {
        reader.expect(method, answers);
        socket.write(head, "latin1");
        to.onReady(call);
      };
      // A target that died a moment ago has closed it, and nobody has read that yet.
      if (looks) afterPoll(begin);
      else if (!socket.connecting) begin();
    },
    destroy: () => fail(broken(), "the target has left"),
  };

  const begin = (): void => {
    const start = waiting;
    waiting = null;
    start?.();
  };

  socket.setTimeout(timeoutMs);
  socket.on("connect", begin);
  socket.on("data", (chunk: Buffer) => {
    if (waiting) {
      fail("refused", "bytes that nobody has asked for");
      return;
    }
    try {
      reader.push(chunk);
    } catch (error) {
      if (!(error instanceof BadAnswerError)) throw error;
      fail("malformed", error.message);
      return;
    }
    sink?.onPartial();
    if (reader.surplus) fail("malformed", "more bytes than the answer");
  });
  socket.on("drain", () => sink?.onDrain());
  socket.on("end", () => {
    onGone(connection);
    if (waiting || !reader.close()) fail(broken(), "the target closed the connection");
  });
  socket.on("timeout", () => {
    if (sink?.clientStalls()) socket.setTimeout(timeoutMs);
    else fail("timeout", `nothing moved for ${timeoutMs} ms`);
  });
  socket.on("error", (error: NodeJS.ErrnoException) => {
    fail(broken(), error.code ?? error.message);
  });
  socket.on("close", () => {
    fail(broken(), "the connection was closed");
  });
  return connection;
}
