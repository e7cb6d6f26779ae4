/** Files, notes and documents that others have written: by hand, by programs, long ago. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { readDeployment } from "../../src/aws/deployment.ts";
import { memoryOf } from "../../src/aws/memory.ts";
import { loadScenario } from "../../src/cli/simulate-scenario.ts";
import { controllerConfigText, parseControllerConfig } from "../../src/config/controller.ts";
import { UserError } from "../../src/config/errors.ts";
import { locateJsonError } from "../../src/config/json.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { toldOf } from "../../src/controller/told.ts";
import { recordLine } from "../../src/core/record.ts";
import { parseRecord, RecordError } from "../../src/core/record-lines.ts";
import { parseControl } from "../../src/dashboard/access.ts";
import { parseLogLine } from "../../src/local/run-files.ts";
import { codeHits } from "../../src/parity/code-rules.ts";
import { DockerfileError, parseDockerfile } from "../../src/parity/dockerfile.ts";
import { harRequests } from "../../src/parity/har.ts";
import { imageHits } from "../../src/parity/image-rules.ts";
import type { ReplayRequest } from "../../src/parity/observed.ts";
import { openApiRequests } from "../../src/parity/openapi.ts";
import { sampleRun } from "../sample-run.ts";
import { onlyThrows, type Target, target } from "./target.ts";

const anyJson = fc.jsonValue({ maxDepth: 4 });
/** Values that a person or another program puts where something else was expected. */
const wrong = fc.oneof(
  anyJson,
  fc.constantFrom<unknown[]>(null, -1, 0.5, 1e308, "", "\ud800", "a\r\nb", "é", {}, [], [[]]),
  fc.constantFrom<unknown[]>({ toString: 1, valueOf: 1 }, { length: 5 }, { __proto__: null }),
);

/** A JSON text with some places of it put wrong, and sometimes cut off. */
function damaged(good: readonly unknown[]): fc.Arbitrary<string> {
  const damage = fc.tuple(fc.nat(), wrong);
  const cut = fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, fc.nat(400));
  return fc
    .tuple(fc.nat(good.length - 1), fc.array(damage, { maxLength: 3 }), cut)
    .map(([which, damages, at]) => {
      const value: unknown = structuredClone(good[which]);
      for (const [where, other] of damages) putWrong(value, where, other);
      const text = JSON.stringify(value);
      return at === null ? text : text.slice(0, at);
    });
}

function putWrong(value: unknown, where: number, other: unknown): void {
  const places: [object, string][] = [];
  const collect = (owner: unknown): void => {
    if (typeof owner !== "object" || owner === null) return;
    for (const key of Object.keys(owner)) {
      places.push([owner, key]);
      collect(Reflect.get(owner, key));
    }
  };
  collect(value);
  const place = places[where % Math.max(1, places.length)];
  if (place !== undefined) Reflect.set(place[0], place[1], structuredClone(other));
}

const json = fc.oneof(
  anyJson.map((value) => JSON.stringify(value)),
  damaged([{ a: [1, -2.5e3, 'x\u0001"', { b: null }], c: [true, false, []] }]),
  fc
    .array(fc.constantFrom("{", "}", "[", "]", ",", ":", '"a"', "1", "-", "0", ".", "e", " ", "//"))
    .map((parts) => parts.join("")),
  fc.string(),
);

/** It must find an error exactly where there is one. */
function checkJson(text: string): void {
  let isJson = true;
  try {
    JSON.parse(text);
  } catch {
    isJson = false;
  }
  const found = locateJsonError(text);
  assert.equal(found === null, isJson, JSON.stringify(found));
}

const records = sampleRun(6).map((record) => structuredClone(record) as unknown);

/** What is accepted comes back the same from its own line. */
function checkRecording([text, number]: readonly [string, number]): void {
  onlyThrows(() => {
    const record = parseRecord(text, number);
    assert.deepEqual(parseRecord(recordLine(record), number), JSON.parse(text));
  }, RecordError);
}

const scenario = {
  lambdaMemoryMB: 512,
  architecture: "arm64",
  region: "us-east-1",
  prices: {},
  thresholds: { up: { requestsPerMinute: 3000, periods: 2, of: 3 }, down: { minutes: 5 } },
  realistic: {
    seed: 3,
    standby: "warm",
    delays: { dnsSeconds: [10, 60] },
    transition: { ttlSeconds: 60, stepPercents: [50, 100] },
  },
};
const folder = mkdtempSync(join(tmpdir(), "lambdaflex-fuzz-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

async function checkScenario(text: string): Promise<void> {
  const path = join(folder, "scenario.json");
  writeFileSync(path, text);
  await loadScenario(path).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
  });
}

/** A variable as Dockerfiles write it. */
function variable(text: string): string {
  return ["$", "{", text, "}"].join("");
}

const instruction = fc.constantFrom(
  "FROM node:24 AS build",
  "FROM build",
  `FROM ${variable("BASE:-scratch")}`,
  "FROM --platform=$TARGETPLATFORM alpine",
  "ARG BASE=node",
  `ENV A=1 B="two words" C=$A${variable("B:+x")}`,
  "ENV A one two",
  'CMD ["node", "server.js"]',
  "CMD node server.js",
  'ENTRYPOINT ["sh", "-c",',
  "COPY --from=public.ecr.aws/awsguru/aws-lambda-adapter:1.0.1 /lambda-adapter /opt/extensions/",
  "COPY <<EOF /file",
  "EOF",
  `EXPOSE 8080/tcp ${variable("PORT")} 99999`,
  "USER 0",
  "HEALTHCHECK CMD true",
  "RUN echo \\",
  "# escape=`",
  "ONBUILD",
  "FROM",
);
const dockerfile = fc
  .array(fc.oneof({ weight: 6, arbitrary: instruction }, fc.string()), { maxLength: 9 })
  .map((lines) => lines.join("\n"));

function checkDockerfile(text: string): void {
  onlyThrows(() => {
    imageHits(parseDockerfile(text), { port: 8080, architecture: "arm64" });
  }, DockerfileError);
}

/** Pieces that the rules look for, and what makes a scanner lose its place. */
const piece = fc.constantFrom(
  "app.listen(3000)",
  'http.createServer((q, s) => s.end("x")).listen(process.env.PORT, "127.0.0.1"',
  "let count = 0; count++",
  "const cache = new Map();",
  'fs.writeFileSync("/data/a", x)',
  'process.on("SIGTERM", () => {',
  "uvicorn.run(app, port=8000)",
  'if __name__ == "__main__":',
  'open("/var/x", "w")',
  'http.ListenAndServe(":8080", nil)',
  "func main() {",
  "setInterval(tick, 1000)",
  '"""',
  "'''",
  '"',
  "'",
  "`${",
  "`",
  "/*",
  "//",
  "#",
  "/[/",
  "\\",
  "(((((((((((((((((((((((((",
  ")",
  "{",
  "}",
  "                                                  ",
  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  ", , , , , , , , , , , , , , , , , , , , , , , , ,",
);
const code = fc
  .array(fc.oneof({ weight: 8, arbitrary: piece }, fc.string(), fc.constant("\n")), {
    maxLength: 40,
  })
  .map((parts) => parts.join(""));
/** The same again and again, as in generated files: whatever is not linear shows. */
const monotonous = fc
  .tuple(fc.oneof(piece, fc.constantFrom("$", "_", "open(", "app.listen(", "a.b")), fc.nat(60_000))
  .map(([text, length]) => text.repeat(Math.ceil(length / text.length)));
const languages = ["javascript", "python", "go"] as const;

function checkCode(text: string): void {
  const files = languages.map((language) => ({ path: `server.${language}`, language, text }));
  for (const { line } of codeHits(files, { port: 8080, commands: text, streams: true })) {
    assert.ok(line >= 1 && line <= text.split("\n").length, `line ${line}`);
  }
}

const openApi = {
  openapi: "3.1.0",
  servers: [{ url: "https://a.example/v1/" }],
  paths: {
    "/pets/{id}": {
      parameters: [{ name: "id", in: "path", required: true, schema: { type: "string" } }],
      get: {
        parameters: [
          { name: "q", in: "query", required: true, example: "x y" },
          { name: "X-A", in: "header", required: true, schema: { enum: ["a"] } },
        ],
      },
      post: {
        requestBody: {
          content: { "application/json": { schema: { $ref: "#/components/schemas/Pet" } } },
        },
      },
    },
  },
  components: {
    schemas: {
      Pet: {
        type: "object",
        required: ["name", "tags", "mother"],
        properties: {
          name: { type: "string", minLength: 3, format: "uuid" },
          tags: { type: "array", minItems: 2, items: { type: "integer", minimum: 4 } },
          mother: { $ref: "#/components/schemas/Pet" },
        },
      },
    },
  },
};
const swagger = {
  swagger: "2.0",
  basePath: "/v2",
  paths: {
    "/pets": {
      post: { parameters: [{ name: "body", in: "body", schema: { allOf: [{ example: {} }] } }] },
    },
  },
};
const har = {
  log: {
    entries: [
      {
        request: {
          method: "POST",
          url: "https://a.example/pets?x=1",
          headers: [{ name: "Accept", value: "*/*" }],
          postData: { text: "eA==", encoding: "base64" },
        },
      },
    ],
  },
};

/** Whatever a document says, what is made of it can be sent, and ends where it should. */
function checkRequests(requests: readonly ReplayRequest[]): void {
  for (const { method, target: asked, headers } of requests) {
    assert.match(method, /^[A-Z]+$/);
    assert.match(asked, /^\/[\x21-\x7e]*$/);
    for (const [name, value] of headers) {
      assert.match(name, /^[\w!#$%&'*+.^`|~-]+$/);
      assert.match(value, /^[\t\x20-\x7e\x80-\xff]*$/);
    }
  }
}

function checkDocument(text: string): void {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return;
  }
  checkRequests(openApiRequests(document));
  checkRequests(harRequests(document));
}

const memory = {
  stack: { id: "arn:x", createdAtMs: 1, removedAtMs: null, removals: 0 },
  change: { route: { lambda: 100, fargate: 0, fargateRecord: false }, atMs: 1, id: "/change/C1" },
};
const told = { phase: "steady", targetSinceMs: 1, recent: [{ key: "a", atMs: 1 }] };
const logLine = { atMs: 1, line: "x" };
const wish = { type: "load", factor: 2 };

/** A note that cannot be read is none; what is read can be worked with. */
function checkNote(text: string): void {
  const { stack, change } = memoryOf(text);
  assert.ok(stack === null || Number.isFinite(stack.createdAtMs));
  assert.ok(change === null || Number.isFinite(change.route.lambda));
  assert.ok(toldOf(text).recent.every(({ key, atMs }) => key.length + atMs >= -Infinity));
  assert.ok((parseLogLine(text)?.line.length ?? 0) >= 0);
  const control = parseControl(text);
  if (control?.type === "load") assert.ok(control.factor >= 0 && control.factor <= 4);
}

const controllerConfig = controllerConfigText(parseConfig({ command: "node a.js" }, "/", "x"));
const variables = fc.dictionary(
  fc.constantFrom(
    "LAMBDAFLEX_APP",
    "LAMBDAFLEX_CONFIG",
    "LAMBDAFLEX_API_URL",
    "LAMBDAFLEX_BURST_PARAMETERS",
    "LAMBDAFLEX_DOMAIN",
    "LAMBDAFLEX_DIGEST",
  ),
  fc.oneof(
    fc.string(),
    json,
    damaged([JSON.parse(controllerConfig)]),
    fc.constantFrom("https://[", "http://x:99999/", "shop", "{}"),
  ),
);
const fits = {
  LAMBDAFLEX_APP: "shop",
  LAMBDAFLEX_TABLE: "shop-state",
  LAMBDAFLEX_FRONT_DOOR: "http",
  LAMBDAFLEX_API_ID: "a1b2",
  LAMBDAFLEX_API_URL: "https://a.example",
  LAMBDAFLEX_BURST_PARAMETERS: "{}",
  LAMBDAFLEX_DIGEST: `sha256:${"0".repeat(64)}`,
};

/** They are refused with a sentence that names them. */
function checkVariables(given: Readonly<Record<string, string>>): void {
  for (const read of [
    () => void readDeployment({ ...fits, ...given }),
    () => void parseControllerConfig(given.LAMBDAFLEX_CONFIG ?? controllerConfig),
  ]) {
    try {
      read();
    } catch (error) {
      assert.match(String(error), /^Error: .*LAMBDAFLEX_/);
    }
  }
}

/** What is damaged is accepted while it is whole, or nothing behind the door is ever reached. */
export async function checkGood(): Promise<void> {
  const path = join(folder, "good.json");
  writeFileSync(path, JSON.stringify(scenario));
  await loadScenario(path);
  readDeployment(fits);
  parseControllerConfig(controllerConfig);
  for (const [at, record] of records.entries()) parseRecord(JSON.stringify(record), at + 1);
  for (const [document, count] of [
    [openApi, 4],
    [swagger, 1],
  ] as const) {
    assert.equal(openApiRequests(document).length, count);
  }
  assert.equal(harRequests(har).length, 1);
  assert.deepEqual(memoryOf(JSON.stringify(memory)), memory);
  assert.deepEqual(toldOf(JSON.stringify(told)), told);
  assert.deepEqual(parseLogLine(JSON.stringify(logLine)), logLine);
  assert.deepEqual(parseControl(JSON.stringify(wish)), wish);
  assert.ok(fc.sample(dockerfile, { numRuns: 500, seed: 1 }).some(isDockerfile));
}

function isDockerfile(text: string): boolean {
  try {
    return parseDockerfile(text).stages.length > 1;
  } catch {
    return false;
  }
}

/** The targets. */
export const documentTargets: readonly Target[] = [
  target("json", json, checkJson),
  target("recordings", fc.tuple(damaged(records), fc.constantFrom(1, 2)), checkRecording),
  target("scenarios", damaged([scenario]), checkScenario, 5),
  target("dockerfiles", dockerfile, checkDockerfile),
  target("source-code", code, checkCode, 5),
  target("monotonous-code", monotonous, checkCode, 100),
  target("api-documents", damaged([openApi, swagger, har]), checkDocument),
  target("notes", damaged([memory, told, logLine, wish]), checkNote),
  target("variables", variables, checkVariables),
];
