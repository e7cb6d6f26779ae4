import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { it } from "node:test";
import { leashedLeft, startLeashed } from "./leash.ts";

const env = { PATH: process.env.PATH ?? "" };

async function firstLine(command: readonly string[]): Promise<{
  readonly child: ReturnType<typeof startLeashed>;
  readonly line: string;
}> {
  let child: ReturnType<typeof startLeashed> | undefined;
  const line = await new Promise<string>((resolve) => {
    child = startLeashed(command, { cwd: tmpdir(), env, onLine: resolve });
  });
  assert.ok(child);
  return { child, line };
}

it("passes SIGTERM on and reports the program's own exit code", async () => {
  const program =
    "process.on('SIGTERM',()=>process.exit(7));console.log('up');setInterval(()=>{},9)";
  const { child } = await firstLine([process.execPath, "-e", program]);
  assert.equal(await child.stop(5000), 7);
  assert.equal(child.running, false);
});

it("kills what does not stop, with everything that it started", async () => {
  const { child } = await firstLine(["sh", "-c", "trap '' TERM; sleep 600 & echo up; wait; wait"]);
  assert.equal(await child.stop(50), 137);
  assert.equal(await leashedLeft(2000), 0);
});

it("ends at once with 127 when there is no such program", async () => {
  const { child, line } = await firstLine(["no-such-program-here"]);
  assert.match(line, /not found/);
  assert.equal(await child.exited, 127);
});

it("leaves nothing behind when its owner is killed", async () => {
  const leash = new URL("./leash.ts", import.meta.url).href;
  const owner = spawn(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      `import { startLeashed } from ${JSON.stringify(leash)};
       startLeashed(["sh", "-c", "sleep 600 & echo $$; wait"], {
         cwd: "/", env: process.env, onLine: (line) => console.log(line),
       });`,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  owner.stdout.setEncoding("utf8");
  const [text] = (await once(owner.stdout, "data")) as [string];
  const pid = Number(text.trim());
  owner.kill("SIGKILL");
  await once(owner, "exit");
  for (let round = 0; round < 500 && isAlive(pid); round += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.equal(isAlive(pid), false);
});

/** Alive for the system and not merely waiting to be collected by init. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    if (process.platform !== "linux") return true;
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
