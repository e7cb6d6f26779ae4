/** A service whose answers show what came, and which can fail in the ways that matter. */
import { createServer } from "node:http";

const bytes = (length) => Buffer.from(Array.from({ length }, (_, at) => (at * 31) & 0xff));
let served = 0;

createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const url = new URL(request.url, "http://service");
  if (url.pathname === "/exit") process.exit(3);
  if (url.pathname === "/never") return;
  if (url.pathname === "/slow") await new Promise((resolve) => setTimeout(resolve, 500));
  if (url.pathname === "/bytes") {
    response.writeHead(200, { "content-type": "application/octet-stream" });
    response.end(bytes(Number(url.searchParams.get("length"))));
    return;
  }
  served += url.pathname === "/count" ? 1 : 0;
  const status = Number(url.searchParams.get("status") ?? 200);
  const cookies = ["a=1; Path=/", "b=2"];
  response.writeHead(status, { "content-type": "application/json", "set-cookie": cookies });
  const body = Buffer.concat(chunks).toString("base64");
  const { headers, method } = request;
  response.end(JSON.stringify({ method, target: request.url, headers, body, served }));
}).listen(process.env.PORT, "127.0.0.1");
