/** Upgraded connections, WebSocket and the like: heads are checked, then bytes just pass. */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Admitted } from "./admission.ts";
import type { AnswerHead } from "./answer-reader.ts";
import { plainHead } from "./exchange.ts";
import type { Target, TargetGroup } from "./targets.ts";
import type { UpstreamCall, UpstreamSink } from "./upstream.ts";

/** What a tunnel needs besides its request. */
export interface TunnelOptions {
  readonly group: TargetGroup;
  readonly onLog: (line: string) => void;
  /** Called once, when the request to upgrade has been answered. */
  readonly onAnswered: (status: number) => void;
  /** Real milliseconds without a byte in either direction that end the tunnel. */
  readonly idleTimeoutMs: number;
}

/** Targets that a request may find closed before it fails. */
const attemptsMax = 3;

/** Asks a target to upgrade and joins both connections if it does. */
export function startTunnel(
  request: IncomingMessage,
  client: Socket,
  early: Buffer,
  admitted: Admitted,
  options: TunnelOptions,
): void {
  const { group, idleTimeoutMs } = options;
  const method = request.method ?? "GET";
  const tried: Target[] = [];
  let target: Target | null = null;
  let call: UpstreamCall | null = null;
  let answered = false;

  const leaveTarget = (): void => {
    call?.release(false);
    call = null;
    if (target) group.done(target);
    target = null;
  };
  const answer = (status: number, head: string): void => {
    if (answered) return;
    answered = true;
    options.onAnswered(status);
    client.write(head, "latin1");
  };
  const refuse = (status: number, reason: string): void => {
    options.onLog(`${status} ${method} ${request.url}: ${reason}`);
    answer(status, plainHead(status));
    client.end();
  };

  const sink: UpstreamSink = {
    onReady(begun) {
      call = begun;
      if (client.destroyed) leaveTarget();
    },
    onPartial: () => undefined,
    onDrain: () => undefined,
    onInterim: () => undefined,
    onHead: (head) => answer(head.status, closingHead(head)),
    onData(piece) {
      if (!client.write(piece)) call?.pause();
    },
    onEnd(last) {
      if (last) client.end(last);
      else client.end();
      leaveTarget();
    },
    onTunnel(head, rest, socket) {
      call = null;
      answer(101, tunnelHead(head));
      if (rest.length > 0) client.write(rest);
      if (early.length > 0) socket.write(early);
      join(client, socket, idleTimeoutMs);
      socket.on("close", leaveTarget);
    },
    onFailure(failure) {
      if (target) tried.push(target);
      call = null;
      leaveTarget();
      if (client.destroyed) return;
      if (failure.kind === "refused" && tried.length < attemptsMax) attempt();
      else if (answered) client.destroy();
      else refuse(failure.kind === "timeout" ? 504 : 502, failure.detail);
    },
    clientStalls: () => client.writableNeedDrain,
  };
  const attempt = (): void => {
    target = group.take(tried) ?? (tried.length > 0 ? group.take([]) : null);
    if (target) target.upstream.send(admitted.head, method, "fresh", sink);
    else refuse(503, "no target");
  };

  client.on("error", () => client.destroy());
  client.on("drain", () => call?.resume());
  client.on("close", () => {
    if (!answered) options.onAnswered(460);
    answered = true;
    if (call) leaveTarget();
  });
  client.setTimeout(idleTimeoutMs, () => client.destroy());
  attempt();
}

/** Passes bytes both ways, with back-pressure, until either side ends or falls silent. */
function join(client: Socket, target: Socket, idleTimeoutMs: number): void {
  client.pipe(target);
  target.pipe(client);
  target.setTimeout(idleTimeoutMs, () => target.destroy());
  client.on("close", () => target.destroy());
  target.on("close", () => client.destroySoon());
  if (client.destroyed) target.destroy();
  target.resume();
}

function lines(fields: readonly string[]): string {
  let text = "";
  for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return text;
}

function tunnelHead(head: AnswerHead): string {
  const upgrade = head.upgrade === null ? "" : `Upgrade: ${head.upgrade}\r\n`;
  const status = `HTTP/1.1 101 ${head.reason}\r\n`;
  return `${status}${lines(head.fields)}Connection: Upgrade\r\n${upgrade}\r\n`;
}

/** The target answered in plain HTTP: the answer passes and its end is the connection's. */
function closingHead(head: AnswerHead): string {
  const status = `HTTP/1.1 ${head.status} ${head.reason}\r\n`;
  return `${status}${lines(head.fields)}Connection: close\r\n\r\n`;
}
