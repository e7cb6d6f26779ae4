/** Time that only goes on, for lengths of time. */

/** Real milliseconds since this process started. `performance` would load modules of its own. */
export function uptimeMs(): number {
  return process.uptime() * 1000;
}
