import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

const file = fileURLToPath(new URL("server.js", import.meta.url));
let child;
let url;

before(async () => {
  const env = { ...process.env, HOST: "127.0.0.1", PORT: "0", LAMBDAFLEX_STATUS_URL: "" };
  child = spawn(process.execPath, [file], { env, stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(child.stdout, "data");
  url = /http:\S+/.exec(String(line))[0];
});

after(() => child.kill("SIGKILL"));

function send(method, path, pet) {
  const headers = { "content-type": "application/json" };
  return fetch(`${url}${path}`, { method, ...(pet && { headers, body: JSON.stringify(pet) }) });
}

test("a pet is added, found, renamed and removed", async () => {
  const added = await send("POST", "/pets", { name: "Zoe", tag: "dog" });
  assert.equal(added.status, 201);
  const { id } = await added.json();
  assert.equal(added.headers.get("location"), `/pets/${id}`);
  assert.deepEqual(await (await send("GET", `/pets/${id}`)).json(), {
    id,
    name: "Zoe",
    tag: "dog",
  });
  const renamed = await send("PUT", `/pets/${id}`, { name: "Zoë" });
  assert.deepEqual(await renamed.json(), { id, name: "Zoë", tag: null });
  assert.equal((await send("DELETE", `/pets/${id}`)).status, 204);
  assert.equal((await send("GET", `/pets/${id}`)).status, 404);
});

test("what is not a pet is refused", async () => {
  assert.equal((await send("POST", "/pets", { name: "" })).status, 400);
  assert.equal((await send("DELETE", "/pets")).status, 405);
  assert.equal((await fetch(`${url}/pets`, { method: "POST", body: "name=Zoe" })).status, 415);
});

test("without surroundings that tell it, the stack is unknown", async () => {
  const { stack } = await (await send("GET", "/stack-status")).json();
  assert.equal(stack, "unknown");
});

test("SIGTERM ends it", async () => {
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  assert.deepEqual(await exited, [0, null]);
});
