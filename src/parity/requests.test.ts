/** Requests out of OpenAPI documents and HTTP archives. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { harRequests, isHar } from "./har.ts";
import { type ReplayRequest, requestText } from "./observed.ts";
import { isOpenApi, openApiRequests } from "./openapi.ts";

const text = ({ body }: ReplayRequest): string => (body ? new TextDecoder().decode(body) : "");

describe("OpenAPI", () => {
  const document = {
    openapi: "3.1.0",
    servers: [{ url: "https://pets.example/v1/" }],
    paths: {
      "/pets": {
        get: {
          parameters: [
            { name: "limit", in: "query", required: true, schema: { type: "integer", minimum: 5 } },
            { name: "tag", in: "query", schema: { type: "string" } },
            { $ref: "#/components/parameters/Trace" },
          ],
        },
        post: {
          requestBody: {
            content: { "application/json": { schema: { $ref: "#/components/schemas/Pet" } } },
          },
        },
      },
      "/pets/{name}": {
        parameters: [{ name: "name", in: "path", required: true, schema: { type: "string" } }],
        get: {},
        delete: {},
      },
    },
    components: {
      parameters: {
        Trace: { name: "X-Trace", in: "header", required: true, example: "t1" },
      },
      schemas: {
        Pet: {
          type: "object",
          required: ["name", "kind", "parent", "born"],
          properties: {
            name: { type: "string", minLength: 3 },
            kind: { enum: ["dog", "cat"] },
            parent: { $ref: "#/components/schemas/Pet" },
            born: { type: "string", format: "date" },
            optional: { type: "string" },
          },
        },
      },
    },
  };

  test("one request for each operation, made of its schemas", () => {
    assert.equal(isOpenApi(document), true);
    const requests = openApiRequests(document);
    assert.deepEqual(requests.map(requestText), [
      "GET /v1/pets?limit=5",
      "HEAD /v1/pets?limit=5",
      "POST /v1/pets",
      "GET /v1/pets/x",
      "HEAD /v1/pets/x",
      "GET /v1/pets/x%2Fx",
      "DELETE /v1/pets/x",
    ]);
    assert.deepEqual(requests[0]?.headers, [
      ["accept", "*/*"],
      ["x-trace", "t1"],
    ]);
    const [, , post] = requests;
    const pet = JSON.parse(post ? text(post) : "") as Record<string, unknown>;
    assert.equal(pet.name, "xxx");
    assert.equal(pet.kind, "dog");
    assert.equal(pet.born, "2020-02-02");
    assert.equal("optional" in pet, false);
  });

  test("Swagger 2 has its base path and body elsewhere", () => {
    const body = { in: "body", name: "b", schema: { example: { a: 1 } } };
    const swagger = {
      swagger: "2.0",
      basePath: "/api",
      paths: { "/x": { put: { parameters: [body] } } },
    };
    const [put] = openApiRequests(swagger);
    assert.equal(put?.target, "/api/x");
    assert.equal(put ? text(put) : "", '{"a":1}');
  });

  test("a schema that has itself as many properties does not explode", () => {
    const names = Array.from({ length: 20 }, (_, at) => `p${at}`);
    const Node = {
      type: "object",
      required: names,
      properties: Object.fromEntries(names.map((name) => [name, { $ref: "#/Node" }])),
    };
    const content = { "application/json": { schema: { $ref: "#/Node" } } };
    const paths = { "/a": { post: { requestBody: { content } } } };
    const [post] = openApiRequests({ openapi: "3.1.0", paths, Node });
    assert.ok(post && text(post).length < 100_000);
    assert.ok(Object.hasOwn(JSON.parse(text(post)) as object, "p19"));
  });

  test("what cannot be sent is left out", () => {
    const header = (name: string, example: string): unknown => {
      return { name, in: "header", required: true, example };
    };
    const parameters = [
      header("X-A", "1"),
      header("X-B", "1\r\nX-C: 2"),
      header("X D", "1"),
      header("Content-Length", "5"),
    ];
    const paths = { "/a": { put: { parameters } }, "/b c": { put: {} }, "/d": { put: {} } };
    const requests = openApiRequests({ openapi: "3.1.0", paths });
    assert.deepEqual(requests.map(requestText), ["PUT /a", "PUT /d"]);
    assert.deepEqual(requests[0]?.headers, [
      ["accept", "*/*"],
      ["x-a", "1"],
    ]);
  });

  test("nothing that could be a document brings it down", () => {
    const leaf = fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.boolean());
    const keys = fc.constantFrom(
      "get",
      "post",
      "/a",
      "/{b}",
      "$ref",
      "schema",
      "parameters",
      "requestBody",
      "content",
      "type",
      "properties",
      "allOf",
      "constructor",
    );
    const { any } = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 6 },
        leaf,
        fc.array(tie("any"), { maxLength: 3 }),
        fc.dictionary(keys, tie("any"), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(any, (paths) => {
        for (const { target } of openApiRequests({ openapi: "3.0.0", paths })) {
          assert.match(target, /^\//);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("HAR", () => {
  const entry = (request: unknown): unknown => ({ log: { entries: [{ request }] } });

  test("method, path, headers and body, without what belonged to the old connection", () => {
    const har = entry({
      method: "POST",
      url: "https://pets.example/pets?a=%20#there",
      headers: [
        { name: ":authority", value: "pets.example" },
        { name: "Host", value: "pets.example" },
        { name: "Content-Length", value: "3" },
        { name: "Content-Type", value: "text/plain" },
        { name: "bad name", value: "x" },
        { name: "x-bad", value: "a\r\nb" },
      ],
      postData: { text: "abc" },
    });
    assert.equal(isHar(har), true);
    const [request] = harRequests(har);
    assert.equal(request?.target, "/pets?a=%20");
    assert.deepEqual(request?.headers, [["Content-Type", "text/plain"]]);
    assert.equal(request ? text(request) : "", "abc");
  });

  test("the same request counts once, and what is none is passed over", () => {
    const get = { method: "GET", url: "http://x/a" };
    const entries = [get, get, { method: "GET", url: "data:x" }, {}, null, { method: 1 }];
    const har = { log: { entries: entries.map((request) => ({ request })) } };
    assert.deepEqual(harRequests(har).map(requestText), ["GET /a"]);
    fc.assert(fc.property(fc.jsonValue(), (any) => void harRequests({ log: any })));
  });

  test("base64 bodies are decoded", () => {
    const postData = { text: "/wA=", encoding: "base64" };
    const [request] = harRequests(entry({ method: "PUT", url: "http://x/", postData }));
    assert.deepEqual([...(request?.body ?? [])], [0xff, 0]);
  });
});
