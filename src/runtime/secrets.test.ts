import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startFakeRuntimeApi } from "../../test/fake-runtime-api.ts";
import { readSecrets } from "./secrets.ts";
import { signedHeaders } from "./signature.ts";
import { VariableError } from "./variables.ts";

interface Sent {
  readonly target: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly headers: IncomingMessage["headers"];
}

const secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf";
const parameter = "arn:aws:ssm:eu-west-1:111122223333:parameter/shop/token";
const sent: Sent[] = [];
/** Answers to give, oldest first; then the last one again. */
let answers: (readonly [number, object])[] = [];

const server = createServer(async (request, response) => {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  const target = String(request.headers["x-amz-target"]);
  sent.push({ target, input: JSON.parse(text), headers: request.headers });
  const [status, body] = (answers.length > 1 ? answers.shift() : answers[0]) ?? [500, {}];
  response.writeHead(status).end(JSON.stringify(body));
});

let env: Readonly<Record<string, string>> = {};

before(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  env = {
    AWS_LAMBDA_RUNTIME_API: "127.0.0.1:9001",
    AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
    AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    AWS_SESSION_TOKEN: "token",
  };
});
after(() => {
  server.closeAllConnections();
  server.close();
});

async function read(
  references: object,
  ...given: (readonly [number, object])[]
): Promise<Readonly<Record<string, string>>> {
  sent.length = 0;
  answers = given;
  return readSecrets({ ...env, LAMBDAFLEX_SECRETS: JSON.stringify(references) });
}

const refused = (references: object, pattern: RegExp, ...given: (readonly [number, object])[]) =>
  assert.rejects(read(references, ...given), (error: Error) => {
    assert.ok(error instanceof VariableError, String(error));
    assert.match(error.message, pattern);
    return true;
  });

describe("secrets", () => {
  test("are read whole, by key, stage and version, and from parameters", async () => {
    const text = JSON.stringify({ password: "p", port: 5432 });
    assert.deepEqual(await read({ A: secret }, [200, { SecretString: text }]), { A: text });
    assert.deepEqual(await read({ A: `${secret}:password` }, [200, { SecretString: text }]), {
      A: "p",
    });
    assert.deepEqual(sent[0]?.input, { SecretId: secret });
    const versioned = `${secret}:port:AWSPREVIOUS:v1`;
    assert.deepEqual(await read({ A: versioned }, [200, { SecretString: text }]), { A: "5432" });
    const input = { SecretId: secret, VersionStage: "AWSPREVIOUS", VersionId: "v1" };
    assert.deepEqual(sent[0]?.input, input);
    const found = { Parameters: [{ Value: "t" }] };
    assert.deepEqual(await read({ A: parameter }, [200, found]), { A: "t" });
    assert.deepEqual(sent[0]?.input, { Names: [parameter], WithDecryption: true });
  });

  test("that cannot be had end the start with the variable and the reference", async () => {
    const denied = { __type: "com.amazonaws#AccessDeniedException", message: "not yours" };
    const message = /^DB cannot be read from arn:.*: AccessDeniedException: not yours$/;
    await refused({ DB: secret }, message, [400, denied]);
    assert.equal(sent.length, 1, "a refusal is not asked for again");
    await refused({ DB: `${secret}:user` }, /has no key user/, [200, { SecretString: "{}" }]);
    await refused({ DB: `${secret}:user` }, /is no JSON/, [200, { SecretString: "hidden" }]);
    await refused({ DB: secret }, /holds bytes/, [200, { SecretBinary: "" }]);
    await refused({ DB: parameter }, /no such parameter/, [200, { Parameters: [] }]);
    await refused({ DB: "arn:aws:s3:::x" }, /expected the ARN/, [200, {}]);
    await refused([], /no JSON object/);
  });

  test("survive a service that is busy for a moment", async () => {
    const busy = [400, { __type: "ThrottlingException" }] as const;
    const good = [200, { SecretString: "s" }] as const;
    assert.deepEqual(await read({ A: secret }, busy, [500, {}], good), { A: "s" });
    await refused({ A: secret }, /ThrottlingException/, busy);
    assert.equal(sent.length, 3);
  });

  test("are nobody's business outside of Lambda, or if there are none", async () => {
    assert.deepEqual(await readSecrets({ LAMBDAFLEX_SECRETS: `{"A":"${secret}"}` }), {});
    assert.deepEqual(await readSecrets(env), {});
  });

  test("are asked for with the signature that AWS computes", async () => {
    const url = new URL("https://secretsmanager.eu-west-1.amazonaws.com/");
    const request = {
      url,
      service: "secretsmanager",
      region: "eu-west-1",
      target: "secretsmanager.GetSecretValue",
      body: '{"SecretId":"x"}',
      nowMs: Date.UTC(2026, 0, 2, 3, 4, 5),
    };
    const { authorization } = signedHeaders(request, env);
    // Computed with @smithy/signature-v4 from the same request and credentials.
    const scope = "AKIDEXAMPLE/20260102/eu-west-1/secretsmanager/aws4_request";
    assert.equal(
      authorization,
      `AWS4-HMAC-SHA256 Credential=${scope}, ` +
        "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, " +
        "Signature=ab6036f87b2f062603d1bd21d5445a955cb2481e7ce7cd5ee0745ab5205f28a2",
    );
  });
});

describe("the bootstrap", () => {
  const bootstrap = fileURLToPath(new URL("./bootstrap.ts", import.meta.url));

  /** Starts a service that prints a variable and ends. */
  async function run(references: object): Promise<{ out: string; code: number; init: unknown }> {
    const api = await startFakeRuntimeApi();
    const command = ["sh", "-c", 'echo "<$DB>"'];
    const child = spawn(process.execPath, [bootstrap, "--", ...command], {
      env: {
        PATH: process.env.PATH,
        ...env,
        AWS_LAMBDA_RUNTIME_API: api.address,
        LAMBDAFLEX_SECRETS: JSON.stringify(references),
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        out += text;
      });
    }
    const [code] = await once(child, "close");
    const init = (await api.initError).errorMessage;
    await api.close();
    return { out, code, init };
  }

  test("starts the service with its secrets", async () => {
    answers = [[200, { SecretString: "hidden" }]];
    assert.match((await run({ DB: secret })).out, /<hidden>/);
  });

  test("does not start it without them, and tells Lambda why", async () => {
    answers = [[400, { __type: "ResourceNotFoundException", message: "no such secret" }]];
    const { out, code, init } = await run({ DB: secret });
    assert.equal(code, 2);
    assert.doesNotMatch(out, /</);
    assert.match(String(init), /^DB cannot be read from arn:.*: ResourceNotFoundException/);
  });
});
