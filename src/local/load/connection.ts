/**
 * One connection of a simulated client: one request at a time, over a plain socket.
 *
 * Hand-made because the generator shares the machine with what it loads: node:http and undici cost
 * it a multiple of the CPU time per request (`load.perf.ts` prints the figure). One buffer for all
 * sockets is enough, since every read is parsed before the next one.
 */
import assert from "node:assert/strict";
import { connect } from "node:net";
import type { Endpoint } from "../service.ts";
import { type Answer, createResponseParser, type Expected, type Parsed } from "./response.ts";

/** A request ready to be written. */
export interface Wire extends Expected {
  /** Start line, headers and body. */
  readonly text: string;
}

/** How a request on a connection ended. */
export type Outcome =
  | { readonly type: "answer"; readonly answer: Answer }
  | {
      readonly type: "failure";
      readonly error: string;
      /** Whether a byte of the answer had come; then it must not be sent again. */
      readonly responded: boolean;
      /** Whether the connection came about at all. */
      readonly connected: boolean;
    };

/** A connection that carries one request at a time. */
export interface Connection {
  readonly endpoint: Endpoint;
  /** False as soon as either side closes it, or the server said that it will. */
  readonly open: boolean;
  /** Real time at which it last became free, or was opened. */
  readonly idleSinceMs: number;
  /** Keep-alive time that the server promised with its last answer. */
  readonly keepAliveSeconds: number | null;
  /** Sends a request; `done` is called exactly once, never before `send` has returned. */
  send(wire: Wire, done: (outcome: Outcome) => void): void;
  /** Closes at once; a request under way fails with `reason`. */
  destroy(reason: string): void;
}

const buffer = Buffer.allocUnsafe(65_536);

/** Opens a connection; `onClosed` is called once when it can carry no more requests. */
export function openConnection(endpoint: Endpoint, onClosed: () => void): Connection {
  const parser = createResponseParser();
  const state = { open: true, connected: false, responded: false, idleSinceMs: performance.now() };
  let keepAliveSeconds: number | null = null;
  let waiting: ((outcome: Outcome) => void) | null = null;

  const shut = (): void => {
    socket.destroy();
    if (!state.open) return;
    state.open = false;
    onClosed();
  };
  const settle = (outcome: Outcome): void => {
    const done = waiting;
    waiting = null;
    done?.(outcome);
  };
  const fail = (error: string): void => {
    const { responded, connected } = state;
    shut();
    settle({ type: "failure", error, responded, connected });
  };
  const take = (parsed: Parsed): void => {
    if (parsed.type === "garbage") fail(`bad answer: ${parsed.reason}`);
    if (parsed.type !== "answer") return;
    state.idleSinceMs = performance.now();
    keepAliveSeconds = parsed.answer.keepAliveSeconds;
    if (!parsed.answer.keepAlive) shut();
    settle(parsed);
  };
  const read = (count: number, buffer: Uint8Array): boolean => {
    state.responded = true;
    take(parser.feed((buffer as Buffer).toString("latin1", 0, count)));
    return true;
  };
  const socket = connect({ ...endpoint, noDelay: true, onread: { buffer, callback: read } });
  socket.on("connect", () => {
    state.connected = true;
  });
  socket.on("error", (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
  socket.on("end", () => {
    if (waiting && state.responded) take(parser.end());
    fail("the server closed the connection");
  });
  socket.on("close", () => fail("the connection was closed"));

  const send: Connection["send"] = (wire, done) => {
    assert.ok(state.open && waiting === null, "a connection carries one request at a time");
    parser.expect(wire);
    state.responded = false;
    waiting = done;
    socket.write(wire.text);
  };
  return {
    endpoint,
    get open() {
      return state.open;
    },
    get idleSinceMs() {
      return state.idleSinceMs;
    },
    get keepAliveSeconds() {
      return keepAliveSeconds;
    },
    send,
    destroy: fail,
  };
}
