/**
 * Freezes a container while it has nothing to do, as Lambda does between two invocations.
 *
 * The engine takes some milliseconds for it, so that it is only asked when the next invocation is
 * not there at once; and one call at a time, because it refuses to freeze what is frozen.
 */

/** How long there must be nothing to do, real milliseconds. */
const idleMs = 100;

/** The engine's two calls. */
export interface FreezerCalls {
  readonly freeze: () => Promise<unknown>;
  readonly thaw: () => Promise<unknown>;
}

/** What is wanted of a container; the calls follow. */
export interface Freezer {
  freeze(): void;
  thaw(): void;
  /** Resolves once it is not frozen, and stays so. */
  awake(): Promise<void>;
  /** There is nothing to freeze any more. */
  end(): void;
}

/** A freezer of a running container. */
export function createFreezer(calls: FreezerCalls): Freezer {
  let wanted = false;
  let frozen = false;
  let over = false;
  let timer: NodeJS.Timeout | undefined;
  let settling: Promise<void> = Promise.resolve();

  const settle = async (): Promise<void> => {
    if (frozen === wanted || over) return;
    const next = wanted;
    // A container that ends meanwhile refuses: then there is nothing left to do.
    const done = await (next ? calls.freeze() : calls.thaw()).then(
      () => true,
      () => false,
    );
    if (done) frozen = next;
    else over = true;
  };
  const want = (next: boolean): void => {
    wanted = next;
    settling = settling.then(settle);
  };
  return {
    freeze() {
      clearTimeout(timer);
      if (!over) timer = setTimeout(() => want(true), idleMs);
    },
    thaw() {
      clearTimeout(timer);
      if (wanted) want(false);
    },
    async awake() {
      clearTimeout(timer);
      want(false);
      await settling;
      over = true;
    },
    end() {
      clearTimeout(timer);
      over = true;
    },
  };
}
