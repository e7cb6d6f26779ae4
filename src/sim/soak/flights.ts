/**
 * Requests in flight on Fargate: sent, and not answered yet. They are answered when their time is
 * over, unless what they are in is taken away before.
 */

/** Requests of one client that were sent evenly over a span of time. */
interface Flight {
  readonly fromMs: number;
  readonly toMs: number;
  readonly takesMs: number;
  readonly count: number;
  landed: number;
}

/** The requests in flight on one burst tier. */
export class Flights {
  #flights: Flight[] = [];

  /** How many are in flight, as of the last time that any have landed. */
  get count(): number {
    let count = 0;
    for (const flight of this.#flights) count += flight.count - flight.landed;
    return count;
  }

  /** Requests that are sent from `fromMs` to `toMs`, each of which takes `takesMs`. */
  start(count: number, fromMs: number, toMs: number, takesMs: number): void {
    this.#flights.push({ fromMs, toMs, takesMs, count, landed: 0 });
  }

  /** Takes out those that are answered by `nowMs`; returns how many. */
  land(nowMs: number): number {
    let landed = 0;
    let aloft = 0;
    for (const flight of this.#flights) {
      const by = landedBy(flight, nowMs);
      landed += by - flight.landed;
      flight.landed = by;
      if (by < flight.count) aloft += 1;
    }
    if (aloft < this.#flights.length) {
      this.#flights = this.#flights.filter((flight) => flight.landed < flight.count);
    }
    return landed;
  }

  /** Takes out all that are left: what they were in is gone. Returns how many. */
  cut(): number {
    const { count } = this;
    this.#flights = [];
    return count;
  }
}

/** How many of a flight have been answered by `nowMs`. */
function landedBy({ fromMs, toMs, takesMs, count }: Flight, nowMs: number): number {
  const sinceMs = nowMs - takesMs - fromMs;
  if (sinceMs >= toMs - fromMs) return count;
  return sinceMs <= 0 ? 0 : Math.floor((count * sinceMs) / (toMs - fromMs));
}
