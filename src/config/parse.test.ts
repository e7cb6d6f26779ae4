import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { UserError } from "./errors.ts";
import { nameFromFolder, parseConfig } from "./parse.ts";

function errorOf(raw: unknown): UserError {
  try {
    parseConfig(raw, "/srv/shop", "lambdaflex.json");
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    return error;
  }
  return assert.fail(`accepted: ${JSON.stringify(raw)}`);
}

const certificateArn = `arn:aws:acm:eu-west-1:111122223333:certificate/${"0".repeat(36)}`;

const command = "node server.js";

/** Each mistake alone, with its code, what the message says and what the hint says. */
const mistakes: readonly (readonly [object, string, string, RegExp])[] = [
  [{ command: undefined }, "COMMAND_MISSING", "command: the configuration does not say", /Add "co/],
  [
    { prot: 1 },
    "CONFIG_KEY_UNKNOWN",
    'prot: there is no such key, did you mean "port"?',
    /\$schema/,
  ],
  // Parameter Store reads a secret whole: a key of its JSON could never be found.
  [
    {
      notifications: {
        webhook: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:hook-AbCdEf:url",
      },
    },
    "CONFIG_VALUE_INVALID",
    "notifications.webhook",
    /.*/,
  ],
  [
    { lambda: { memoryMb: 1 } },
    "CONFIG_KEY_UNKNOWN",
    'lambda.memoryMb: there is no such key, did you mean "memoryMB"?',
    /^Valid keys of lambda: memoryMB, timeoutSeconds/,
  ],
  [
    { memoryMB: 1 },
    "CONFIG_KEY_UNKNOWN",
    'did you mean "lambda.memoryMB" or "fargate.memoryMB"?',
    /Valid keys/,
  ],
  [
    JSON.parse('{"__proto__": {"port": 1}}') as object,
    "CONFIG_KEY_UNKNOWN",
    "__proto__: there is no such key",
    /Valid keys/,
  ],
  [
    { load: { requests: [{ path: "/", methd: "GET" }] } },
    "CONFIG_KEY_UNKNOWN",
    'load.requests[0].methd: there is no such key, did you mean "method"?',
    /^Valid keys of load\.requests\[0\]/,
  ],
  [
    { lambda: { memoryMB: "512" } },
    "CONFIG_VALUE_INVALID",
    'lambda.memoryMB: expected a whole number from 128 to 10240, found the text "512"',
    /^Example: 512\.$/,
  ],
  [{ port: 8080.5 }, "CONFIG_VALUE_INVALID", "expected a whole number from 1 to 65535", /8080/],
  [{ port: Number.NaN }, "CONFIG_VALUE_INVALID", "found NaN", /8080/],
  [{ port: 1n }, "CONFIG_VALUE_INVALID", "found 1", /8080/],
  [{ port: () => 1 }, "CONFIG_VALUE_INVALID", "found a function", /8080/],
  [{ lambda: 5 }, "CONFIG_VALUE_INVALID", "lambda: expected an object, found 5", /Its keys: memo/],
  [{ lambda: null }, "CONFIG_VALUE_INVALID", "lambda: expected an object, found null", /Its keys/],
  [{ command: "" }, "CONFIG_VALUE_INVALID", "expected a text that is not empty or a list", /node/],
  [{ command: ["node", 5] }, "CONFIG_VALUE_INVALID", 'found ["node",5]', /node/],
  [{ name: "Shop_1" }, "CONFIG_VALUE_INVALID", "name: expected 1 to 15 of a-z", /pet-store/],
  [{ standby: "hot" }, "CONFIG_VALUE_INVALID", 'one of "warm", "cold", found the text "hot"', /wa/],
  [
    { policy: "magic" },
    "CONFIG_VALUE_INVALID",
    'policy: expected one of "threshold", "break-even", "work-function", "auto"',
    /"auto"/,
  ],
  [
    { domain: "API" },
    "CONFIG_VALUE_INVALID",
    "domain: expected a host name in lower case",
    /api\./,
  ],
  [
    { domain: `${"a".repeat(53)}.example.com` },
    "CONFIG_VALUE_INVALID",
    "domain: 65 characters are more than the 64",
    /certificateArn/,
  ],
  [
    { domain: `${"a".repeat(60)}.${"b".repeat(56)}.example.com`, certificateArn },
    "CONFIG_VALUE_INVALID",
    "domain: 129 characters are more than the 128",
    /shorter/,
  ],
  [{ fargate: { vcpu: 3 } }, "CONFIG_VALUE_INVALID", "one of 0.25, 0.5, 1, 2, 4, 8, 16", /0\.5/],
  [{ readiness: { path: "up" } }, "CONFIG_VALUE_INVALID", 'a path that starts with "/"', /"\/"/],
  [
    { watch: { ignore: ["a/b"] } },
    "CONFIG_VALUE_INVALID",
    "watch.ignore[0]: expected the name",
    /^/,
  ],
  [{ env: { "1A": "x" } }, "CONFIG_VALUE_INVALID", "env.1A: expected a name of letters", /^$/],
  [{ env: { A: 1 } }, "CONFIG_VALUE_INVALID", "env.A: expected a text, found 1", /^/],
  [{ env: null }, "CONFIG_VALUE_INVALID", "env: expected an object, found null", /GREETING/],
  [{ env: { A: "x".repeat(5000) } }, "CONFIG_VALUE_INVALID", "together take 5001 bytes", /large/],
  [{ env: { PORT: "1" } }, "ENV_RESERVED", "env.PORT: PORT cannot be set here", /Remove it/],
  [{ env: { AWS_REGION: "x" } }, "ENV_RESERVED", "AWS_REGION cannot", /Remove it/],
  [
    { fargate: { vcpu: 0.25, memoryMB: 4096 } },
    "FARGATE_SIZE_INVALID",
    "fargate.memoryMB: Fargate offers no 4096 MB with 0.25 vCPU",
    /choose 512, 1024 or 2048 MB/,
  ],
  [
    { fargate: { vcpu: 8, memoryMB: 17_408 } },
    "FARGATE_SIZE_INVALID",
    "no 17408 MB with 8 vCPU",
    /16384 to 61440 MB in steps of 4096/,
  ],
  [{ fargate: { minTasks: 11 } }, "TASKS_INVALID", "11 is above fargate.maxTasks (10)", /Lower/],
  [
    { fargate: { healthCheck: { timeoutSeconds: 5 } } },
    "HEALTH_CHECK_INVALID",
    "5 is not below fargate.healthCheck.intervalSeconds (5)",
    /lower the timeout/,
  ],
  [
    { fargate: { deregistrationDelaySeconds: 10 } },
    "DRAIN_TOO_SHORT",
    "10 is below the longest answer, lambda.timeoutSeconds (29)",
    /cut off/,
  ],
  [{ fargate: { stopTimeoutSeconds: 5 } }, "DRAIN_TOO_SHORT", "5 is below the longest", /killed/],
  [
    { transition: { drainMinutesMax: 2 } },
    "DRAIN_TOO_SHORT",
    "transition.drainMinutesMax: 2 is below transition.drainQuietMinutes (10)",
    /Raise/,
  ],
  [
    // A removal that AWS carries out late must show before traffic moves.
    { transition: { healthySeconds: 9 } },
    "CONFIG_VALUE_INVALID",
    "transition.healthySeconds: expected a number from 10 to 3600, found 9",
    /30/,
  ],
  [
    { thresholds: { up: { requestsPerMinute: 1499 } } },
    "THRESHOLDS_TOO_CLOSE",
    "1499 is below 5 × thresholds.down.requestsPerMinute (300)",
    /Raise .* to 1500 or lower .* to 299\./,
  ],
  [{ thresholds: { up: { periods: 4 } } }, "PERIODS_INVALID", "4 minutes out of 3", /2 of 3/],
  [
    { transition: { stepPercents: [50, 10, 100] } },
    "STEPS_INVALID",
    "must ascend",
    /\[10, 50, 100\]/,
  ],
  [{ transition: { stepPercents: [10, 50] } }, "STEPS_INVALID", "end in 100", /\[10, 50, 100\]/],
  [{ transition: { stepPercents: [0, 100] } }, "STEPS_INVALID", "from above 0", /\[10, 50, 100\]/],
  [{ transition: { stepPercentsDown: [50] } }, "STEPS_INVALID", "must descend", /\[50, 0\]/],
  [
    { transition: { deadlines: { shiftingMinutes: 5 } } },
    "DEADLINE_TOO_SHORT",
    "5 is below the 9 minutes that 3 steps take",
    /Raise the deadline/,
  ],
  [
    { transition: { backoffMinutes: 90 } },
    "BACKOFF_INVALID",
    "90 is above transition.backoffMinutesMax (60)",
    /Lower/,
  ],
  [
    { load: { requests: [{ path: "/", body: "x" }] } },
    "LOAD_INVALID",
    "load.requests[0]: a GET or HEAD request has no body",
    /POST/,
  ],
  [
    { load: { requests: [{ path: "/", echo: true }] } },
    "LOAD_INVALID",
    '"echo" needs a {token}',
    /\{token\}/,
  ],
  [
    { load: { requests: [{ path: "/", expect: [99] }] } },
    "CONFIG_VALUE_INVALID",
    "load.requests[0].expect[0]: expected a whole number from 100 to 599, found 99",
    /^/,
  ],
];

for (const [raw, code, message, hint] of mistakes) {
  test(`${code}: ${message}`, () => {
    const error = errorOf({ command, ...raw });
    assert.equal(error.code, code, error.format());
    assert.ok(error.message.startsWith("lambdaflex.json: "), error.message);
    assert.ok(error.message.includes(message), error.message);
    assert.match(error.hint, hint);
  });
}

test("all problems are reported at once, checks between valid keys included", () => {
  const error = errorOf({
    cmd: "node server.js",
    lambda: { memoryMB: "512", timeout: 5 },
    thresholds: { up: { requestsPerMinute: 1000 } },
    env: { PORT: "1", "2B": "x" },
  });
  assert.equal(error.code, "CONFIG_INVALID");
  assert.match(error.message, /^lambdaflex\.json has 7 problems:\n- lambda\.timeout: there is no/);
  const codes = [...error.message.matchAll(/\(([A-Z_]+)\)/g)].map(([, code]) => code);
  assert.deepEqual(codes.toSorted(), [
    "COMMAND_MISSING",
    "CONFIG_KEY_UNKNOWN",
    "CONFIG_KEY_UNKNOWN",
    "CONFIG_VALUE_INVALID",
    "CONFIG_VALUE_INVALID",
    "ENV_RESERVED",
    "THRESHOLDS_TOO_CLOSE",
  ]);
});

test("a check is left out when a key that it reads is invalid itself", () => {
  const error = errorOf({ command, fargate: { minTasks: 20, maxTasks: -1 } });
  assert.equal(error.code, "CONFIG_VALUE_INVALID");
  assert.match(error.message, /fargate\.maxTasks/);
});

test("at most ten problems are shown and the rest is counted", () => {
  const keys = Array.from({ length: 25 }, (_, index) => [`zz${index}`, 1]);
  const error = errorOf({ command, ...Object.fromEntries(keys) });
  assert.equal(error.message.split("\n- ").length, 12);
  assert.match(error.message, /\n- and 15 more$/);
});

test("a message stays short however large the value is", () => {
  const error = errorOf({ command, port: "9".repeat(100_000), ["k".repeat(100_000)]: 1 });
  assert.ok(error.format().length < 2000);
});

test("a cyclic value does not break the report", () => {
  const cyclic: { self?: unknown } = {};
  cyclic.self = cyclic;
  assert.match(errorOf({ command, port: cyclic }).message, /found a value that is not JSON/);
});

test("the folder gives a name that AWS accepts", () => {
  assert.equal(nameFromFolder("/srv/My Pet_Store"), "my-pet-store");
  assert.equal(nameFromFolder("/srv/2024-shop"), "shop");
  assert.equal(nameFromFolder("/"), "service");
  assert.equal(nameFromFolder("/srv/internal-api"), "api");
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (folder) => {
      const raw = { command: "x" };
      assert.match(parseConfig(raw, `/${folder}`, "f").name, /^[a-z][a-z0-9-]{0,14}$/);
    }),
  );
});

const maybe = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(value, { nil: undefined });

const validConfig = fc.record(
  {
    command: fc.oneof(fc.string({ minLength: 1 }), fc.array(fc.string(), { minLength: 1 })),
    port: maybe(fc.integer({ min: 1, max: 65_535 })),
    env: maybe(fc.dictionary(fc.constantFrom("A", "B_2", "_c"), fc.string({ unit: "binary" }))),
    lambda: maybe(fc.record({ memoryMB: fc.integer({ min: 128, max: 10_240 }) })),
    fargate: maybe(
      fc.record({ vcpu: fc.constantFrom(1, 2), memoryMB: fc.constantFrom(4096, 8192) }),
    ),
    thresholds: maybe(
      fc.record({
        up: fc.record({ requestsPerMinute: fc.integer({ min: 1500, max: 100_000 }) }),
        down: maybe(fc.record({ minutes: fc.integer({ min: 1, max: 180 }) })),
      }),
    ),
    transition: maybe(fc.record({ bakeSeconds: fc.double({ min: 0, max: 300, noNaN: true }) })),
    standby: maybe(fc.constantFrom("warm", "cold")),
    domain: maybe(fc.constantFrom(null, "api.example.com")),
    load: maybe(
      fc.record({
        requests: fc.array(
          fc.record({
            method: fc.constantFrom("POST", "PUT"),
            path: fc.constantFrom("/", "/pets/{n}?a=1"),
            body: fc
              .jsonValue()
              .filter((value) => typeof value !== "number" && value !== true && value !== false),
          }),
          { maxLength: 3 },
        ),
      }),
    ),
  },
  { requiredKeys: ["command"] },
);

test("a complete configuration survives JSON and is its own result", () => {
  fc.assert(
    fc.property(validConfig, (raw) => {
      const config = parseConfig(raw, "/srv/shop", "lambdaflex.json");
      const text = JSON.stringify(config);
      assert.equal(JSON.stringify(parseConfig(JSON.parse(text), "/other", "x.json")), text);
    }),
  );
});

test("whoever sets thresholds and no policy lets them decide", () => {
  const thresholds = { up: { requestsPerMinute: 6000 } };
  const policyOf = (raw: object): string =>
    parseConfig({ command, ...raw }, "shop", "shop.json").policy;
  assert.equal(policyOf({}), "auto");
  assert.equal(policyOf({ thresholds }), "threshold");
  assert.equal(policyOf({ thresholds, policy: undefined }), "threshold");
  assert.equal(policyOf({ thresholds, policy: "auto" }), "auto");
});

test("a name that a balancer or a repository would refuse is refused at once", () => {
  for (const name of ["internal-api", "shop-", "pet--store"]) {
    const parse = (): unknown => parseConfig({ name, command: "node a.js" }, "a", "a.json");
    assert.throws(parse, { code: "CONFIG_VALUE_INVALID", message: /balancers or repositories/ });
  }
});
