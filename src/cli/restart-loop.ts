/** Notices a service that seems to restart itself, by what it or others write when it starts. */

/** Restarts that follow each other so closely are hardly a person's; real milliseconds. */
const closeMs = 5_000;
const closeOnesMax = 3;

/** Hears of each restart what has changed before it; gives one sentence, once, or `null`. */
export function restartLoopHint(nowMs: () => number): (changed: Iterable<string>) => string | null {
  let beforeMs = Number.NEGATIVE_INFINITY;
  let closeOnes = 0;
  let told = false;
  return (changed) => {
    const atMs = nowMs();
    closeOnes = atMs - beforeMs <= closeMs ? closeOnes + 1 : 0;
    beforeMs = atMs;
    const names = [...changed];
    if (told || names.length === 0 || closeOnes < closeOnesMax) return null;
    told = true;
    const shown = names.slice(0, 3).join(", ");
    return `restarted again and again because of ${shown}: name in watch.ignore what is no source`;
  };
}
