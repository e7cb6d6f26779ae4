/** The script for images without Node, run by the shells that images have. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("./entrypoint.sh", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "lambdaflex-entrypoint-"));
const onLambda = { AWS_LAMBDA_RUNTIME_API: "127.0.0.1:9001", LAMBDAFLEX_EXTENSIONS: folder };
const shells = ["sh", "dash", "bash", "busybox"].filter(
  (shell) => spawnSync(shell, shell === "busybox" ? ["true"] : ["-c", ":"]).status === 0,
);

function executable(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(
  shell: string,
  env: Readonly<Record<string, string>>,
  command: readonly string[],
): Promise<Ran> {
  const args = shell === "busybox" ? ["sh", script] : [script];
  const child = spawn(shell, [...args, ...command], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let err = "";
  child.stdout.on("data", (text) => {
    out += text;
  });
  child.stderr.on("data", (text) => {
    err += text;
  });
  return new Promise((resolve) => {
    child.once("close", (code, signal) => {
      resolve({ code: code ?? (signal === "SIGTERM" ? 143 : -1), out, err });
    });
  });
}

after(() => rmSync(folder, { recursive: true, force: true }));

test("it is plain sh", () => {
  assert.ok(shells.includes("sh"));
  assert.doesNotMatch(readFileSync(script, "utf8"), /\[\[|\bfunction |\blocal |<\(|\$'/);
  for (const shell of shells) {
    const args = shell === "busybox" ? ["sh", "-n", script] : ["-n", script];
    assert.equal(spawnSync(shell, args).status, 0, shell);
  }
});

for (const shell of shells) {
  describe(shell, () => {
    test("on Lambda it refuses secrets, which the adapter cannot read", async () => {
      const env = { ...onLambda, LAMBDAFLEX_SECRETS: "{}" };
      const { code, out, err } = await run(shell, env, ["echo", "started"]);
      assert.deepEqual([code, out], [2, ""]);
      assert.match(err, /secretsAt to "deploy"/);
    });

    test("in a container the service takes the place of the script", async () => {
      const show = 'echo "$PORT|$1|$2|$AWS_LWA_PORT"; exit 9';
      const { code, out } = await run(shell, {}, ["--", "sh", "-c", show, "x", "a b", "$HOME"]);
      assert.equal(out, "8080|a b|$HOME|\n");
      assert.equal(code, 9);
      const ported = await run(shell, { PORT: "3000" }, ["sh", "-c", 'echo "$PORT"']);
      assert.equal(ported.out, "3000\n");
    });

    test("on Lambda the extension is left to Lambda", async () => {
      const extension = executable("lambda-adapter", "echo started twice");
      const show =
        'echo "$PORT $AWS_LWA_READINESS_CHECK_PATH $AWS_LWA_READINESS_CHECK_HEALTHY_STATUS"';
      const env = { ...onLambda, AWS_LWA_PORT: "4000", AWS_LWA_READINESS_CHECK_PATH: "/up" };
      const { code, out } = await run(shell, env, ["sh", "-c", show]);
      assert.equal(out, "4000 /up 100-499\n");
      assert.equal(code, 0);
      const old = await run(shell, { ...onLambda, READINESS_CHECK_PATH: "/old" }, [
        "sh",
        "-c",
        show,
      ]);
      assert.equal(old.out, "8080 /old 100-499\n");
      chmodSync(extension, 0o644);
      const unusable = await run(shell, env, ["true"]);
      rmSync(extension);
      assert.equal(unusable.code, 126);
      assert.match(unusable.err, /not executable/);
    });

    test("on Lambda a plain adapter is started, and takes the service along", async () => {
      const adapter = executable("plain", 'echo "adapter for $AWS_LWA_PORT"; exit 4');
      const env = { ...onLambda, LAMBDAFLEX_ADAPTER: adapter };
      const { code, out, err } = await run(shell, env, ["sleep", "30"]);
      assert.equal(out, "adapter for 8080\n");
      assert.match(err, /the adapter ended with status 4/);
      assert.equal(code, 143);
    });

    test("one worker on Lambda, one for each processor of a task", async () => {
      const workers = async (env: Readonly<Record<string, string>>): Promise<string> =>
        (await run(shell, env, ["sh", "-c", 'echo "$WEB_CONCURRENCY"'])).out.trim();
      const counts = { "0.25": "1", "0.5": "1", "1": "1", "2": "2", "16": "16", many: "1" };
      for (const [vcpu, count] of Object.entries(counts)) {
        assert.equal(await workers({ LAMBDAFLEX_VCPU: vcpu }), count, vcpu);
      }
      assert.equal(await workers({}), "1");
      assert.equal(await workers({ LAMBDAFLEX_VCPU: "4", WEB_CONCURRENCY: "3" }), "3");
      const extension = executable("lambda-adapter", "echo started twice");
      assert.equal(await workers({ ...onLambda, LAMBDAFLEX_VCPU: "4" }), "1");
      rmSync(extension);
    });

    test("what is missing is said", async () => {
      const absent = { ...onLambda, LAMBDAFLEX_ADAPTER: join(folder, "absent") };
      const adapter = await run(shell, absent, ["true"]);
      assert.equal(adapter.code, 127);
      assert.match(adapter.err, /AWS Lambda Web Adapter is neither .*COPY --from=/);
      const program = await run(shell, {}, ["/nowhere/at-all"]);
      assert.equal(program.code, 127);
      assert.match(program.err, /cannot start "\/nowhere\/at-all": no such program/);
      const command = await run(shell, {}, []);
      assert.equal(command.code, 2);
      assert.match(command.err, /usage/);
      for (const port of ["http", "0", "70000", "123456", "-1"]) {
        const refused = await run(shell, { AWS_LWA_PORT: port }, ["true"]);
        assert.equal(refused.code, 2, port);
        assert.match(refused.err, /expected a number from 1 to 65535/);
      }
    });
  });
}
