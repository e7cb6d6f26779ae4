/** A state folder on a disk of its own that is full for a while. */
import { spawnSync } from "node:child_process";
import { closeSync, cpSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { NotStarted } from "./life.ts";
import type { Place } from "./service.ts";
import { Skipped, type Stage } from "./stage.ts";

const sizeKiB = 2048;
/** Ticks that fail before the disk has room again. */
const failedTicksMin = 5;

/** Fills the disk on the way up and in the crest, and lets lambdaflex be killed meanwhile. */
export async function fillsDisk(stage: Stage): Promise<void> {
  const { place, say } = stage;
  await stage.killLambdaflex();
  mount(place);
  try {
    await stage.begin();
    fill(place);
    say("the disk is full");
    stage.traffic.crowd(true);
    await failing(stage);
    free(place);
    say("the disk has room");
    await stage.up();
    fill(place);
    say("the disk is full");
    stage.traffic.crowd(false);
    await failing(stage);
    await stage.killLambdaflex();
    await startsOrRefuses(stage);
    free(place);
    say("the disk has room");
    await stage.begin();
    await stage.up();
    await stage.down();
    await stage.traffic.settle("no answer at the end", 20_000);
    await stage.life.stop();
  } finally {
    spawnSync("umount", ["-l", place.state]);
  }
}

async function failing({ life }: Stage): Promise<void> {
  const before = life.facts.failedTicks;
  await life.until("ticks fail", ({ failedTicks }) => failedTicks >= before + failedTicksMin);
}

/** Nobody can keep a state on a full disk: a start says so, and does nothing. */
async function startsOrRefuses(stage: Stage): Promise<void> {
  const refusal = await stage.begin().then(
    () => null,
    (error: Error) => error,
  );
  if (refusal === null) throw new Error("it started on a full disk, where it can keep nothing");
  if (!(refusal instanceof NotStarted) || !refusal.message.includes("ENOSPC")) throw refusal;
  stage.say("refused, with the reason");
}

/** Puts a small file system in place of the state folder. */
function mount({ state, root }: Place): void {
  const kept = join(root, "kept");
  cpSync(state, kept, { recursive: true });
  const options = `size=${sizeKiB}k`;
  const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", state]);
  if (status !== 0) {
    throw new Skipped(`no small disk can be mounted here: ${String(stderr).trim()}`);
  }
  cpSync(kept, state, { recursive: true });
}

const ballast = ({ state }: Place): string => join(state, "ballast");

/** Writes until nothing fits any more. */
function fill(place: Place): void {
  const file = openSync(ballast(place), "a");
  try {
    for (let block = Buffer.alloc(4096); ; ) writeSync(file, block);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  } finally {
    closeSync(file);
  }
}

function free(place: Place): void {
  rmSync(ballast(place));
}
