/** A minimal service: one file, no dependencies. It knows nothing of Lambda or Fargate. */
import { createServer } from "node:http";

const greeting = process.env.GREETING ?? "hello";

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? "/", "http://service");
  const answers = {
    // lambdaflex-ignore differs-body / it tells which tier answers
    "/": { message: greeting, tier: process.env.LAMBDAFLEX_TIER ?? "none" },
    "/healthz": { status: "ok" },
  };
  const found = Object.hasOwn(answers, pathname);
  const body = found ? answers[pathname] : { detail: `there is nothing at ${pathname}` };
  response.writeHead(found ? 200 : 404, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
});

// Longer than the load balancer's 60 s, so that it never sends into a connection we have closed.
server.keepAliveTimeout = 75_000;

// What is in flight is still answered; then nothing is left to do, and the process ends.
process.on("SIGTERM", () => {
  server.close();
  server.closeIdleConnections();
});

server.listen(Number(process.env.PORT ?? 8080), process.env.HOST ?? "127.0.0.1");
