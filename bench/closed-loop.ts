/**
 * The lightest possible client: a few keep-alive connections that always have one request out.
 * It runs in a process of its own, so that it and what it measures share nothing but the machine.
 *
 * `node closed-loop.ts PORT CONNECTIONS SECONDS HOST PATH` prints one line of JSON.
 */
import { connect } from "node:net";
import { createHistogram } from "node:perf_hooks";

/** What a run of the client measured. */
export interface Throughput {
  readonly requestsPerSecond: number;
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const [port = "0", connections = "4", seconds = "5", host = "localhost", path = "/"] =
  process.argv.slice(2);
const request = Buffer.from(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
const latencyUs = createHistogram();
let failed = 0;
let over = false;

/** Length of a whole answer at the beginning of `text`, 0 if there is more to come. */
function answerLength(text: string): number {
  const head = text.indexOf("\r\n\r\n");
  if (head < 0) return 0;
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, head))?.[1];
  if (length !== undefined) return text.length >= head + 4 + Number(length) ? text.length : 0;
  return text.endsWith("\r\n0\r\n\r\n") ? text.length : 0;
}

function client(): void {
  const socket = connect({ port: Number(port), host: "127.0.0.1", noDelay: true });
  let text = "";
  let sentMs = 0;
  let waiting = false;
  const send = (): void => {
    if (over) return void socket.destroy();
    sentMs = performance.now();
    waiting = true;
    socket.write(request);
  };
  socket.setEncoding("latin1");
  socket.on("connect", send);
  socket.on("data", (chunk: string) => {
    text += chunk;
    if (answerLength(text) === 0) return;
    waiting = false;
    latencyUs.record(Math.max(1, Math.round((performance.now() - sentMs) * 1000)));
    if (!text.startsWith("HTTP/1.1 200")) failed += 1;
    text = "";
    send();
  });
  socket.on("error", () => undefined);
  socket.on("close", () => {
    if (over) return;
    if (waiting) failed += 1;
    text = "";
    client();
  });
}

for (let index = 0; index < Number(connections); index += 1) client();
setTimeout(() => {
  over = true;
  const result: Throughput = {
    requestsPerSecond: latencyUs.count / Number(seconds),
    failed,
    p50Ms: latencyUs.percentile(50) / 1000,
    p99Ms: latencyUs.percentile(99) / 1000,
  };
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}, Number(seconds) * 1000);
