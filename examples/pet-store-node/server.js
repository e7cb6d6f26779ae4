/** A pet store over HTTP: one process, no dependencies, pets kept in memory. */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const bodyBytesMax = 64 * 1024;
const petsMax = 1000;
const docsPage = readFileSync(new URL("docs.html", import.meta.url));
const openapi = readFileSync(new URL("openapi.json", import.meta.url));

/** An answer that ends the request early, with a sentence for the client. */
class HttpError extends Error {
  constructor(status, detail, headers = {}) {
    super(detail);
    this.status = status;
    this.headers = headers;
  }
}

// A Map keeps the order of insertion, so the first key is always the oldest pet.
// lambdaflex-ignore state-in-memory an example without a database: restarts forget the pets
const pets = new Map();
let lastId = 0;

function addPet(fields) {
  lastId += 1;
  const pet = { id: lastId, ...fields };
  pets.set(pet.id, pet);
  if (pets.size > petsMax) pets.delete(pets.keys().next().value);
  return pet;
}

for (const [name, tag] of [
  ["Bella", "dog"],
  ["Milo", "cat"],
  ["Coco", "parrot"],
  ["Nemo", "fish"],
  ["Rocky", null],
]) {
  addPet({ name, tag });
}

function findPet(id) {
  const pet = pets.get(id);
  if (!pet) throw new HttpError(404, `there is no pet ${id}`);
  return pet;
}

function isText(value, lengthMax) {
  return typeof value === "string" && value !== "" && [...value].length <= lengthMax;
}

/** Checks what a client sent as a pet; unknown fields are ignored. */
function petFields(value) {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject) throw new HttpError(400, "a pet is a JSON object");
  const { name, tag = null } = value;
  if (!isText(name, 100)) throw new HttpError(400, "name: a text of 1 to 100 characters");
  if (tag !== null && !isText(tag, 50)) throw new HttpError(400, "tag: 1 to 50 characters or null");
  return { name, tag };
}

/** Reads to the end even when the body is too large: the client can then read the answer. */
async function readJson(request) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes <= bodyBytesMax) chunks.push(chunk);
  }
  if (bytes > bodyBytesMax) throw new HttpError(413, `the body is above ${bodyBytesMax} bytes`);
  const type = (request.headers["content-type"] ?? "").split(";")[0].trim().toLowerCase();
  if (type !== "application/json") throw new HttpError(415, "send application/json");
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks)));
  } catch {
    throw new HttpError(400, "the body is not valid JSON");
  }
}

function limitOf(query) {
  const text = query.get("limit") ?? "20";
  const limit = Number(text);
  if (/^\d{1,4}$/.test(text) && limit >= 1 && limit <= 100) return limit;
  throw new HttpError(400, "limit: a whole number from 1 to 100");
}

/** Where the service runs is none of its business: it passes on what its surroundings tell it. */
// lambdaflex-ignore differs-body /stack-status it tells which tier answers
async function stackStatus() {
  const { LAMBDAFLEX_TIER: tier = "none", LAMBDAFLEX_STATUS_URL: url } = process.env;
  const unknown = { tier, stack: "unknown" };
  if (!url) return unknown;
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(1000) });
    return answer.ok ? { ...unknown, ...(await answer.json()) } : unknown;
  } catch {
    return unknown;
  }
}

const json = (status, value, headers = {}) => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify(value),
});
const file = (type, body) => ({ status: 200, headers: { "content-type": type }, body });

/** Each path with its methods; the groups of the path are passed as numbers. */
const routes = [
  [
    /^\/$/,
    { GET: () => json(200, { message: "Welcome to the pet store", pets: "/pets", docs: "/docs" }) },
  ],
  [/^\/healthz$/, { GET: () => json(200, { status: "ok" }) }],
  [/^\/docs$/, { GET: () => file("text/html; charset=utf-8", docsPage) }],
  [/^\/openapi\.json$/, { GET: () => file("application/json", openapi) }],
  [/^\/stack-status$/, { GET: async () => json(200, await stackStatus()) }],
  [
    /^\/pets$/,
    {
      GET: ({ query }) => json(200, [...pets.values()].slice(0, limitOf(query))),
      POST: async ({ request }) => {
        const pet = addPet(petFields(await readJson(request)));
        return json(201, pet, { location: `/pets/${pet.id}` });
      },
    },
  ],
  [
    /^\/pets\/(\d{1,15})$/,
    {
      GET: ({ id }) => json(200, findPet(id)),
      PUT: async ({ request, id }) => {
        const fields = petFields(await readJson(request));
        const pet = { id: findPet(id).id, ...fields };
        pets.set(id, pet);
        return json(200, pet);
      },
      DELETE: ({ id }) => {
        pets.delete(findPet(id).id);
        return { status: 204, headers: {}, body: "" };
      },
    },
  ],
];

async function answer(request) {
  const [path, search = ""] = request.url.split("?", 2);
  for (const [pattern, methods] of routes) {
    const match = pattern.exec(path);
    if (!match) continue;
    const handle = methods[request.method === "HEAD" ? "GET" : request.method];
    if (handle)
      return handle({ request, id: Number(match[1]), query: new URLSearchParams(search) });
    const allow = Object.keys(methods).join(", ");
    throw new HttpError(405, `${request.method} is not allowed here`, { allow });
  }
  throw new HttpError(404, "there is nothing here");
}

let stopping = false;

const server = createServer(async (request, response) => {
  let result;
  try {
    result = await answer(request);
  } catch (error) {
    if (request.destroyed && !request.complete) return; // The client has gone.
    const known = error instanceof HttpError;
    if (!known) console.error(error);
    const { status, message, headers } = known ? error : new HttpError(500, "internal error");
    result = json(status, { detail: message }, headers);
  }
  const { status, headers, body } = result;
  const id = request.headers["x-request-id"];
  if (id) response.setHeader("x-request-id", id);
  if (stopping) response.setHeader("connection", "close");
  if (status !== 204) response.setHeader("content-length", Buffer.byteLength(body));
  response.writeHead(status, headers);
  response.end(request.method === "HEAD" ? undefined : body);
});

// Longer than the 60 s of the load balancer in front, so that it never meets a closed connection.
server.keepAliveTimeout = 75_000;

const { HOST = "127.0.0.1", PORT = "8080" } = process.env;
server.listen(Number(PORT), HOST, () => {
  console.log(`pet store on http://${HOST}:${server.address().port}`);
});

// What is in flight is answered, its connections are closed, then the process ends by itself.
for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, () => {
    stopping = true;
    server.close();
  });
}
