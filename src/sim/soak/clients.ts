/**
 * The clients of a soak, one by one: each holds an answer for its TTL or longer, sends its share of
 * the traffic to it, and every request is accounted for.
 */
import type { Random } from "../../core/random.ts";
import type { Tier } from "../../core/types.ts";
import type { Agenda } from "../agenda.ts";
import type { Answer } from "./names.ts";
import type { Script } from "./script.ts";

/** What became of requests. Only `lost` is nobody's fault but ours. */
export type Fate =
  | "lambda"
  | "fargate"
  // Refused by Lambda's concurrency limit, which a fault had lowered.
  | "throttled"
  // Sent to targets that a fault or a hand had taken away, or in flight in them at that moment.
  | "killed"
  // Sent to an address that was kept beyond its TTL, after the stated drain.
  | "overstayed"
  // Sent where a hand had pointed the record.
  | "misled"
  | "lost";

/** Counts of all fates. */
export type Fates = Record<Fate, number>;

/** One client with the answer that it holds. */
export interface Client {
  readonly keepMs: number;
  /** How long its requests take. */
  readonly takesMs: number;
  tier: Tier;
  byHand: boolean;
  /** Which of the burst tiers, one after the other, the address belongs to. */
  generation: number;
  resolvedMs: number;
  /** Fractions of requests, until they are whole ones. */
  due: number;
}

/** All fates at zero. */
export function noFates(): Fates {
  return {
    lambda: 0,
    fargate: 0,
    throttled: 0,
    killed: 0,
    overstayed: 0,
    misled: 0,
    lost: 0,
  };
}

/** What clients need of the world. */
export interface Surroundings {
  readonly agenda: Agenda;
  readonly random: Random;
  readonly ttlMs: number;
  resolve(nowMs: number): Answer;
}

/** Clients that look the name up again whenever their answer has expired. */
export function createClients(
  { clientsKeepMs, clientsTakeMs }: Pick<Script, "clientsKeepMs" | "clientsTakeMs">,
  world: Surroundings,
  startMs: number,
): readonly Client[] {
  return clientsKeepMs.map((keepMs, at) => {
    const client: Client = {
      keepMs,
      takesMs: clientsTakeMs[at] ?? 0,
      tier: "lambda",
      byHand: false,
      generation: 0,
      resolvedMs: startMs,
      due: 0,
    };
    const lookUp = (nowMs: number): void => {
      const { tier, byHand, generation } = world.resolve(nowMs);
      client.tier = tier;
      client.byHand = byHand;
      client.generation = generation;
      client.resolvedMs = nowMs;
      // Only Fargate's address can go away: to keep the other one for long tells nothing.
      const keptMs = world.ttlMs + (tier === "fargate" ? keepMs : 0);
      world.agenda.at(nowMs + keptMs, () => lookUp(nowMs + keptMs));
    };
    const firstMs = startMs + Math.round(world.random() * world.ttlMs);
    world.agenda.at(firstMs, () => lookUp(firstMs));
    return client;
  });
}
