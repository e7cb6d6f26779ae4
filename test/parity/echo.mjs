/**
 * The service of the differential test. It tells what it saw of a request, or, where the path asks
 * for it, gives an answer of a certain shape. Every answer is the same at every time.
 */
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";

const bytes = (length) => {
  const made = Buffer.alloc(length);
  for (let at = 0; at < length; at += 1) made[at] = (at * 31 + (at >> 8) * 7) & 0xff;
  return made;
};
const text = (length) =>
  "all work and no play makes a dull service\n".repeat(length / 42 + 1).slice(0, length);
const packers = { gzip: gzipSync, br: brotliCompressSync, deflate: deflateSync };
const type = (value) => ["content-type", value];

/** Named answers: status, headers in turn, body; `pieces` are written one after the other. */
function shaped(name, query, response) {
  const number = (key, fallback) => Number(query.get(key) ?? fallback);
  switch (name) {
    case "status":
      return {
        status: number("code", 200),
        headers: [...type("text/plain")],
        body: query.get("body") ?? "",
      };
    case "bytes":
      return {
        headers: [...type(query.get("type") ?? "application/octet-stream")],
        body: bytes(number("length", 0)),
      };
    case "text":
      return {
        headers: [...type(query.get("type") ?? "text/plain")],
        body: text(number("length", 0)),
      };
    case "untyped":
      return { headers: [], body: text(number("length", 10)) };
    case "packed": {
      const coding = query.get("coding");
      return {
        headers: [...type("text/plain"), "content-encoding", coding, "vary", "accept-encoding"],
        body: packers[coding](text(number("length", 1000))),
      };
    }
    case "undated":
      return { headers: [...type("text/plain")], body: "undated", undated: true };
    case "cookies":
      return {
        headers: [
          "set-cookie",
          "a=1; Path=/; HttpOnly",
          "set-cookie",
          "b=2; Expires=Wed, 21 Oct 2099 07:28:00 GMT",
          ...type("text/plain"),
        ],
        body: "cookies",
      };
    case "repeated":
      return {
        headers: [
          "link",
          "</a>; rel=next",
          "link",
          "</b>; rel=prev",
          "x-one",
          "1",
          "X-One",
          "2",
          ...type("text/plain"),
        ],
        body: "repeated",
      };
    case "latin":
      return {
        headers: [
          ...type("text/plain"),
          "x-latin",
          Buffer.from("636166e9", "hex").toString("latin1"),
        ],
        body: "latin",
      };
    case "headers":
      return {
        headers: [...type("application/json"), query.get("name"), query.get("value") ?? ""],
        body: "{}",
      };
    case "spelled":
      return {
        headers: ["Content-Type", "text/plain", "X-Mixed-Case", "Yes", "ETag", '"abc"'],
        body: "spelled",
      };
    case "redirect":
      return {
        status: number("code", 302),
        headers: ["location", query.get("to") ?? "/there?a=1&b=%20"],
        body: "",
      };
    case "cached":
      return {
        status: 304,
        headers: [
          "etag",
          '"v1"',
          "cache-control",
          "max-age=60",
          ...(query.has("length") ? ["content-length", query.get("length")] : []),
        ],
        body: null,
      };
    case "chunked":
      return {
        headers: [...type("text/plain")],
        pieces: Array.from({ length: number("pieces", 3) }, (_, at) => `piece ${at}\n`),
      };
    case "events":
      return {
        headers: [...type("text/event-stream"), "cache-control", "no-cache"],
        pieces: ["data: one\n\n", "data: two\n\n", "data: three\n\n"],
      };
    case "trailers":
      return {
        headers: [...type("text/plain"), "trailer", "x-sum"],
        pieces: ["with trailers"],
        trailers: { "x-sum": "13" },
      };
    case "reason":
      return {
        status: 200,
        reason: "Fine By Me",
        headers: [...type("text/plain")],
        body: "reason",
      };
    case "hints":
      response.writeEarlyHints({ link: "</style.css>; rel=preload; as=style" });
      return { headers: [...type("text/plain")], body: "hints" };
    default:
      return null;
  }
}

const methodsWithoutBody = new Set(["HEAD"]);

function give(request, response, answer) {
  const { status = 200, reason, headers, body, pieces, trailers } = answer;
  response.sendDate = false;
  const list = answer.undated
    ? [...headers]
    : [...headers, "date", "Sun, 06 Nov 1994 08:49:37 GMT"];
  if (pieces) {
    response.writeHead(status, reason, list);
    for (const piece of pieces) response.write(piece);
    if (trailers) response.addTrailers(trailers);
    response.end();
    return;
  }
  const content = body === null ? "" : Buffer.from(body);
  const bodiless = status === 204 || status === 304 || body === null;
  if (!bodiless) list.push("content-length", String(content.length));
  response.writeHead(status, reason, list);
  response.end(bodiless || methodsWithoutBody.has(request.method) ? undefined : content);
}

function seen(request, body) {
  const headers = [];
  for (let at = 0; at < request.rawHeaders.length; at += 2)
    headers.push(request.rawHeaders.slice(at, at + 2));
  const trailers = [];
  for (let at = 0; at < request.rawTrailers.length; at += 2)
    trailers.push(request.rawTrailers.slice(at, at + 2));
  const digest = createHash("sha256").update(body).digest("hex");
  return {
    method: request.method,
    target: request.url,
    headers,
    body: `${body.length} ${digest}`,
    trailers,
  };
}

const server = createServer(
  { maxHeaderSize: 65_536, keepAliveTimeout: 75_000 },
  async (request, response) => {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    const [path, search = ""] = request.url.split(/\?(.*)/s);
    const query = new URLSearchParams(search);
    if (path === "/slow")
      await new Promise((resolve) => setTimeout(resolve, Number(query.get("ms"))));
    const answer = path.startsWith("/answer/") ? shaped(path.slice(8), query, response) : null;
    if (answer) {
      give(request, response, answer);
      return;
    }
    const told = JSON.stringify(seen(request, Buffer.concat(pieces)));
    // A HEAD has no body to tell in: a header does as well.
    const headers = [
      ...type("application/json"),
      "x-seen",
      Buffer.from(told).toString("base64").slice(0, 7000),
    ];
    give(request, response, { headers, body: told });
  },
);

server.on("upgrade", (_request, socket) => {
  socket.on("error", () => undefined);
  socket.end("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
});

server.listen(Number(process.env.PORT), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
