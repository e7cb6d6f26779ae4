/**
 * A whole cycle on a real account, made of the commands that users have: npm run test:aws.
 * Opt-in: it needs credentials, Docker, a domain in a hosted zone of the account, and consent.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { runUsd } from "./cost.ts";

const domain = process.env.LAMBDAFLEX_TEST_DOMAIN ?? "";
const agreed = process.env.LAMBDAFLEX_TEST_AWS === "1" && domain !== "";
const root = fileURLToPath(new URL("../../..", import.meta.url));

const terms = [
  "This test deploys examples/pet-store-node to your AWS account, moves it to Fargate and back,",
  "and removes everything again. It takes about 90 minutes.",
  `It costs at most ${runUsd().toFixed(2)} USD.`,
  "To agree: LAMBDAFLEX_TEST_AWS=1 LAMBDAFLEX_TEST_DOMAIN=flex-test.example.com npm run test:aws",
  "(the domain must not exist yet; its hosted zone must be in the account).",
].join("\n");

/** A name of its own, so that nothing of another run is in the way. */
const app = `live-${process.pid % 100_000}`;

interface Ran {
  readonly code: number;
  readonly out: string;
}

function lambdaflex(folder: string, ...args: readonly string[]): Promise<Ran> {
  process.stderr.write(`$ lambdaflex ${args.join(" ")}\n`);
  const child = spawn(process.execPath, [join(root, "src/cli/main.ts"), ...args], {
    cwd: folder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) =>
      resolve({ code: code ?? 1, out: Buffer.concat(chunks).toString() }),
    );
  });
}

async function must(folder: string, ...args: readonly string[]): Promise<string> {
  const { code, out } = await lambdaflex(folder, ...args);
  assert.equal(code, 0, `lambdaflex ${args[0]} ends with ${code}: ${out.slice(-2000)}`);
  return out;
}

interface Snapshot {
  readonly phase: string;
  readonly target: string;
  readonly route: { readonly fargate: number; readonly fargateRecord: boolean };
}

async function snapshot(folder: string): Promise<Snapshot> {
  const out = await must(folder, "status", "--json");
  return (JSON.parse(out) as { readonly snapshot: Snapshot }).snapshot;
}

/** Looks every half minute until it is so. */
async function until(
  folder: string,
  minutesMax: number,
  done: (seen: Snapshot) => boolean,
): Promise<void> {
  for (let look = 0; look < 2 * minutesMax; look += 1) {
    const seen = await snapshot(folder);
    if (done(seen)) return;
    await sleep(30_000);
  }
  assert.fail(
    `not reached within ${minutesMax} minutes: ${JSON.stringify(await snapshot(folder))}`,
  );
}

/** Two requests a second, each of which must be answered; what was not is told at the end. */
function callers(): { readonly stop: () => Promise<readonly string[]> } {
  const failures: string[] = [];
  const stopping = new AbortController();
  const calling = (async () => {
    while (!stopping.signal.aborted) {
      await fetch(`https://${domain}/pets?limit=1`, { signal: AbortSignal.timeout(30_000) })
        .then((answer) => {
          if (!answer.ok) failures.push(`${new Date().toISOString()} ${answer.status}`);
          return answer.arrayBuffer();
        })
        .catch((error: Error) => failures.push(`${new Date().toISOString()} ${error.message}`));
      await sleep(500);
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await calling;
      return failures;
    },
  };
}

function makeService(): string {
  const folder = mkdtempSync(join(tmpdir(), "lambdaflex-live-"));
  cpSync(join(root, "examples/pet-store-node"), folder, { recursive: true });
  const file = join(folder, "lambdaflex.json");
  const { $schema: _schema, ...config } = JSON.parse(readFileSync(file, "utf8")) as {
    readonly $schema: string;
  };
  const short = { dwellMinutes: 5, cooldownMinutes: 1, drainQuietMinutes: 3 };
  writeFileSync(file, JSON.stringify({ ...config, name: app, domain, transition: short }));
  return folder;
}

async function firstAnswer(): Promise<void> {
  for (let look = 0; look < 60; look += 1) {
    const answer = await fetch(`https://${domain}/healthz`).catch(() => null);
    if (answer?.ok) return;
    await sleep(10_000);
  }
  assert.fail(`https://${domain} does not answer ten minutes after the deployment`);
}

if (!agreed) {
  process.stdout.write(`${terms}\n`);
} else {
  test("up and down on a real account, and nothing is left", {
    timeout: 4 * 3_600_000,
  }, async () => {
    const folder = makeService();
    let removed = false;
    try {
      await must(folder, "doctor");
      await must(folder, "deploy", "--json");
      await firstAnswer();
      const clients = callers();
      await must(folder, "shift", "fargate", "--wait");
      await until(folder, 30, ({ route }) => route.fargate === 100);
      await must(folder, "shift", "lambda", "--wait");
      await until(folder, 60, ({ phase, route }) => phase === "steady" && !route.fargateRecord);
      assert.deepEqual(await clients.stop(), [], "every request was answered");
      await must(folder, "history");
      const proof = JSON.parse(await must(folder, "destroy", "--yes", "--json")) as {
        readonly ok: boolean;
        readonly remaining: readonly string[];
      };
      removed = proof.ok;
      assert.deepEqual(proof.remaining, []);
    } finally {
      if (!removed) await lambdaflex(folder, "destroy", "--yes", "--now");
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
