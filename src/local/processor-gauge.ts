/** How busy this machine's processors are: the local cloud shares them with all it starts. */
import { cpus } from "node:os";

/** The share of processor time that was idle lately. */
export interface ProcessorGauge {
  /** 0 (all busy) to 1; over the last quarter of a second or so. */
  idleShare(): number;
}

/** A shorter span says more about the kernel's bookkeeping than about the load. */
const spanMs = 250;

/** Opens a gauge; it looks when it is asked, not by itself. */
export function openProcessorGauge(): ProcessorGauge {
  let seen = times();
  let seenMs = performance.now();
  let share = 1;
  return {
    idleShare() {
      const nowMs = performance.now();
      if (nowMs - seenMs < spanMs) return share;
      const now = times();
      const passed = now.total - seen.total;
      if (passed > 0) share = (now.idle - seen.idle) / passed;
      seen = now;
      seenMs = nowMs;
      return share;
    },
  };
}

function times(): { readonly idle: number; readonly total: number } {
  let idle = 0;
  let total = 0;
  for (const { times: spent } of cpus()) {
    idle += spent.idle;
    total += spent.user + spent.nice + spent.sys + spent.irq + spent.idle;
  }
  return { idle, total };
}
