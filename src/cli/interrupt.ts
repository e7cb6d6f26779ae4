/** Ctrl-C and SIGTERM: the first stops everything in order, the second at once. */

/** Exit code after an interruption, 128 + SIGINT, as shells expect. */
export const interruptedCode = 130;

/** A signal that fires at the first SIGINT, SIGTERM or SIGHUP; the second one exits at once. */
export function interruptSignal(): { readonly signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(interruptedCode);
    controller.abort();
    // Stopping is bounded everywhere; should it hang all the same, the leash ends the children.
    setTimeout(() => process.exit(interruptedCode), 4500).unref();
  };
  for (const name of names) process.on(name, onSignal);
  return {
    signal: controller.signal,
    dispose() {
      for (const name of names) process.off(name, onSignal);
    },
  };
}
