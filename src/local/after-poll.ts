/**
 * Waits until the event loop has looked at all sockets once more. What another process did to a
 * connection before the call, a closing say, has then been read.
 *
 * One `setImmediate` is not enough: called while events are handled it runs right after them, with
 * no look in between.
 */
export function afterPoll(run: () => void): void {
  setImmediate(() => setImmediate(run));
}
