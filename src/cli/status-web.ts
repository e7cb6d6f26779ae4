/** The live page of whatever can be asked: its stream is made by looking again and again. */
import { setTimeout as sleep } from "node:timers/promises";
import { pinned, shifted, stayOf } from "../core/override.ts";
import type { Control, RunHead, RunRecord, RunStream } from "../core/record.ts";
import { startDashboard } from "../dashboard/server.ts";
import { interruptedCode, interruptSignal } from "./interrupt.ts";
import { lookOrSay } from "./look-again.ts";
import { pastSnapshots } from "./past-snapshots.ts";
import { duration } from "./screen.ts";
import type { Report, Source } from "./source.ts";
import { momentOf } from "./source-local.ts";
import { sayAddress, servedAt, type WebAddress } from "./web-address.ts";

/** Records of the past that the page begins with. */
const pastMax = 500;

/** Real time between two looks: on AWS each of them is a few calls. */
const lookMs = { local: 500, aws: 10_000 };

/** A stream that somebody must drive. */
export interface WatchedStream extends RunStream {
  /** Looks once and tells what is new. Rejects when there is nobody to ask any more. */
  look(): Promise<void>;
}

/** Serves the page until Ctrl-C, or until there is nobody to ask any more. */
export async function serveStatus(source: Source, address: WebAddress): Promise<number> {
  const interrupt = interruptSignal();
  const first = await source.report();
  const stream = watchedStream(source, first);
  const page = await servedAt(address, (at) => startDashboard(stream, at));
  sayAddress(first.snapshot.service, page);
  try {
    while (!interrupt.signal.aborted) {
      await lookOrSay(stream.look, (line) => process.stderr.write(`${line}\n`));
      const pause = sleep(lookMs[first.source.on], undefined, { signal: interrupt.signal });
      await pause.catch(() => undefined);
    }
  } finally {
    await page.stop();
    interrupt.dispose();
  }
  return interruptedCode;
}

/** The stream of a source that was asked once already. */
export function watchedStream(source: Source, first: Report): WatchedStream {
  const listeners = new Set<(record: RunRecord) => void>();
  const tell = (record: RunRecord): void => {
    for (const listener of listeners) listener(record);
  };
  const { on, name } = first.source;
  const head: RunHead = {
    type: "run",
    version: 1,
    atMs: first.windows[0]?.startMs ?? first.snapshot.atMs,
    service: first.snapshot.service,
    command: on === "aws" ? "on AWS" : name,
    speed: first.speed,
  };
  let windowSeenMs = Number.NEGATIVE_INFINITY;
  let eventSeenMs = head.atMs;
  return {
    head,
    controls: ["shift", "pin", "auto"],
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    control: (wanted) => obey(source, wanted),
    async look() {
      const { snapshot, windows } = await source.report();
      const past = await source.history(eventSeenMs, pastMax);
      for (const record of past) {
        const atMs = momentOf(record) ?? eventSeenMs;
        if (record.type === "run" || atMs <= eventSeenMs) continue;
        tell(record);
      }
      if (windowSeenMs === Number.NEGATIVE_INFINITY) {
        for (const earlier of pastSnapshots({ snapshot, windows }, past)) {
          tell({ type: "snapshot", snapshot: earlier });
        }
      }
      eventSeenMs = Math.max(eventSeenMs, ...past.map((record) => momentOf(record) ?? 0));
      for (const sample of windows) {
        if (sample.startMs > windowSeenMs) tell({ type: "window", sample });
      }
      windowSeenMs = Math.max(windowSeenMs, windows.at(-1)?.startMs ?? windowSeenMs);
      tell({ type: "snapshot", snapshot });
    },
  };
}

async function obey(source: Source, wanted: Control): Promise<string> {
  if (wanted.type === "load") throw new Error("the load is not ours to change");
  if (wanted.type === "auto") {
    await source.override(null);
    return "the policy decides again";
  }
  const { type, tier } = wanted;
  if (type === "pin") {
    await source.override(pinned(tier));
    return `pinned to ${tier} until somebody says otherwise`;
  }
  const { snapshot } = await source.report();
  const stayMs = stayOf(snapshot, tier);
  await source.override(shifted(tier, snapshot.atMs, stayMs));
  return `shifts to ${tier} and stays for ${duration(stayMs)}; then the policy decides again`;
}
