/** Work in the order of dependencies, as much at once as they allow. */

/** Runs `work` for each name once everything that it waits for is done; then `finished`. */
export function inOrder(
  names: readonly string[],
  waitsFor: (name: string) => readonly string[],
  work: (name: string, done: (failure: string | null) => void) => void,
  finished: (failed: readonly string[], untouched: readonly string[]) => void,
  options: { readonly stopAtFailure: boolean },
): void {
  const open = new Set(names);
  const running = new Set<string>();
  const failed: string[] = [];
  let over = false;
  const pump = (): void => {
    if (over) return;
    const halted = options.stopAtFailure && failed.length > 0;
    for (const name of halted ? [] : [...open]) {
      const blocked = waitsFor(name).some(
        (other) => open.has(other) || running.has(other) || failed.includes(other),
      );
      if (blocked || !open.has(name)) continue;
      open.delete(name);
      running.add(name);
      work(name, (failure) => {
        running.delete(name);
        if (failure !== null) failed.push(name);
        pump();
      });
    }
    if (over || (running.size > 0 && !halted)) return;
    over = true;
    finished(failed, [...open, ...running]);
  };
  pump();
}
