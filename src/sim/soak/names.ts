/** The zone of a soak: two weighted records, servers that follow late, and health evaluation. */
import type { Random } from "../../core/random.ts";
import { pickTier, toRoute53Weights } from "../../core/route.ts";
import { lambdaOnly, sameRoute } from "../../core/status.ts";
import type { Route, Tier } from "../../core/types.ts";
import type { Agenda } from "../agenda.ts";

/** An answer, and whether a hand had put the record there. */
export interface Answer {
  readonly tier: Tier;
  readonly byHand: boolean;
  /** Which of the burst tiers, one after the other, Fargate's record names. */
  readonly generation: number;
}

interface Published {
  readonly route: Route;
  readonly byHand: boolean;
  readonly generation: number;
}

const nothing: Published = { route: lambdaOnly, byHand: false, generation: 0 };

/** The authoritative servers, seen together. */
export class Zone {
  readonly #agenda: Agenda;
  readonly #random: Random;
  /** What some server may answer; the newest is what the API shows. */
  #published: Published[] = [nothing];
  #cancel = (): void => undefined;
  #slowUntilMs = 0;
  #syncedMs = 0;

  constructor(agenda: Agenda, random: Random) {
    this.#agenda = agenda;
    this.#random = random;
  }

  /** What the API shows. */
  get route(): Route {
    return this.#published.at(-1)?.route ?? lambdaOnly;
  }

  get inSync(): boolean {
    return this.#published.length === 1;
  }

  /** Since when all servers answer with what the API shows, if they do. */
  get syncedMs(): number {
    return this.#syncedMs;
  }

  /** Whether any server may still answer with Fargate. */
  get mayAnswerFargate(): boolean {
    return this.#published.some(({ route }) => route.fargate > 0);
  }

  /** Whether a hand put any of it there. */
  get touched(): boolean {
    return this.#published.some(({ byHand }) => byHand);
  }

  /** In sync within a minute, unless something is in the way. */
  set(route: Route, nowMs: number, byHand: boolean, generation: number): void {
    const now = this.#published.at(-1) ?? nothing;
    const sameTier = !route.fargateRecord || now.generation === generation;
    if (sameRoute(route, now.route) && sameTier) {
      const newest = this.#published.length - 1;
      // Confirmed by the engine, it is no longer only somebody's idea.
      if (!byHand) this.#published[newest] = { ...now, byHand };
      return;
    }
    this.#cancel();
    this.#published.push({ route, byHand, generation });
    const takesMs = 10_000 + this.#random() * 50_000;
    const dueMs = Math.round(Math.max(nowMs + takesMs, this.#slowUntilMs));
    this.#cancel = this.#agenda.at(dueMs, () => {
      this.#published = this.#published.slice(-1);
      this.#syncedMs = dueMs;
    });
  }

  slow(untilMs: number): void {
    this.#slowUntilMs = Math.max(this.#slowUntilMs, untilMs);
  }

  /**
   * One resolution, by a server that may be behind: it then names the balancer of that time, which
   * is not `healthy` any more if there is another one.
   */
  resolve(healthy: boolean, present: number): Answer {
    const at = Math.floor(this.#random() * this.#published.length);
    const { route, byHand, generation } = this.#published[at] ?? nothing;
    const weights = toRoute53Weights(route);
    const tier = pickTier(
      [
        { tier: "lambda", weight: weights.lambda, healthy: true, exists: true },
        {
          tier: "fargate",
          weight: weights.fargate,
          healthy: healthy && generation === present,
          exists: route.fargateRecord,
        },
      ],
      this.#random,
    );
    return { tier: tier ?? "lambda", byHand, generation };
  }
}
