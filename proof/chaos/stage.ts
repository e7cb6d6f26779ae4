/** What a scenario works with: one place, traffic, DNS, and the lives of lambdaflex in turn. */
import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type Random, seededRandom } from "../../src/core/random.ts";
import { processesIn } from "../../test/e2e/processes.ts";
import {
  type Accounted,
  accountFor,
  type Death,
  isWitness,
  readVisits,
  type Victim,
} from "./account.ts";
import { type Facts, type Life, startLife } from "./life.ts";
import { openRelay, type Relay } from "./relay.ts";
import { makePlace, type Place } from "./service.ts";
import { makeTraffic, type Traffic } from "./traffic.ts";
import { gone, oneOf, signalGroup, type Target, targets } from "./victims.ts";

/** The stage of one scenario. */
export interface Stage {
  readonly place: Place;
  readonly random: Random;
  readonly relay: Relay;
  readonly traffic: Traffic;
  readonly say: (line: string) => void;
  /** The life that goes on now. */
  readonly life: Life;
  /** Begins a life, and lets the traffic flow to it. */
  begin(): Promise<void>;
  /** kill -9 of the whole lambdaflex. What it held is on the account; traffic waits. */
  killLambdaflex(): Promise<void>;
  /** kill -9 of a task or an environment; `false` if there is none to spare. */
  killOne(victim: Exclude<Victim, "lambdaflex">): Promise<boolean>;
  /** The same for a task that has answered requests, as soon as another one that lives has, too. */
  killTask(): Promise<void>;
  /** SIGSTOP, and after `ms` SIGCONT; `false` if there was none. */
  freezeOne(victim: Exclude<Victim, "lambdaflex">, ms: number): Promise<boolean>;
  /** The crowd comes, until Fargate has all of it. */
  up(): Promise<void>;
  /** The crowd leaves, until nothing of the burst tier is left. */
  down(): Promise<void>;
}

/** A scenario that this machine cannot play, and why. */
export class Skipped extends Error {
  override readonly name = "Skipped";
}

/** What a scenario came to. */
export interface Account {
  readonly requests: number;
  readonly failures: readonly Accounted[];
  readonly deaths: readonly Death[];
  readonly freezes: number;
  readonly delayed: number;
  readonly lost: number;
  /** Processes that outlived everything. */
  readonly left: number;
}

/** Answers that a killed process has already sent arrive within this time, real. */
const lastAnswersMs = 100;
/** All requests are answered within this time, real. */
const settleMs = 20_000;
/** Children have this long to notice that lambdaflex is dead, real. */
const leashMs = 5_000;
/** A task that was killed has been replaced by one that serves within this time, real. */
const secondServesMs = 60_000;

/** Fargate serves everybody. */
export const upThere = ({ phase, target, weight }: Facts): boolean =>
  phase === "steady" && target === "fargate" && weight === 100;
/** Everything is as in the beginning. */
export const backHome = ({ phase, target, weight, stack }: Facts): boolean =>
  phase === "steady" && target === "lambda" && weight === 0 && stack === "absent";

/** Sets the stage, lets `play` run on it, and gives the account. */
export async function onStage(
  seed: number,
  say: (line: string) => void,
  play: (stage: Stage) => Promise<void>,
): Promise<Account> {
  const place = makePlace();
  const random = seededRandom(seed);
  const relay = await openRelay(seededRandom(seed + 1));
  const traffic = makeTraffic(relay.endpoint, seed);
  const deaths: Death[] = [];
  const witnesses: string[] = [];
  const counts = { freezes: 0 };
  const stage = createStage({
    place,
    random,
    relay,
    traffic,
    say,
    deaths,
    witnesses,
    counts,
    seed,
  });
  try {
    await stage.begin();
    await play(stage);
    await traffic.settle("no answer at the end", settleMs);
    await stage.life.stop();
    const left = await livingIn(place);
    const failures = accountFor(traffic.failures, readVisits(place.accounts), deaths, witnesses);
    const { requests } = traffic;
    const { delayed, lost } = relay;
    return { requests, failures, deaths, freezes: counts.freezes, delayed, lost, left };
  } finally {
    await traffic.settle("the scenario has ended", 0);
    relay.close();
    await stage.end();
    rmSync(place.root, { recursive: true, force: true });
  }
}

interface Props extends Pick<Stage, "place" | "random" | "relay" | "traffic" | "say"> {
  readonly deaths: Death[];
  /** Lines in which lambdaflex tells of requests that it had handed on. */
  readonly witnesses: string[];
  readonly counts: { freezes: number };
  readonly seed: number;
}

function createStage(props: Props): Stage & { end(): Promise<void> } {
  const { place, random, relay, traffic, say, deaths, witnesses, counts, seed } = props;
  let life: Life | null = null;
  const living = (): Life => {
    if (life === null) throw new Error("there is no life");
    return life;
  };
  const tellDeath = (atMs: number, victim: Victim, pid: number): void => {
    const at = (atMs / 1000).toFixed(3);
    say(`${at} s: kill -9 ${victim} ${pid} with ${traffic.inFlight} requests in flight`);
  };
  const kill = async (target: Target): Promise<boolean> => {
    const atMs = traffic.nowMs();
    if (!signalGroup(target, "SIGKILL")) return false;
    const { victim, pid, pids } = target;
    tellDeath(atMs, victim, pid);
    deaths.push({ atMs, goneMs: await gone(target, traffic.nowMs), victim, pid, pids });
    return true;
  };
  return {
    place,
    random,
    relay,
    traffic,
    say,
    get life() {
      return living();
    },
    async begin() {
      life = await startLife(place.folder, seed, (line) => {
        if (isWitness(line)) witnesses.push(line);
      });
      relay.server = life.dns;
      traffic.flow(life.host);
    },
    async killLambdaflex() {
      const { pid, kill } = living();
      traffic.hold();
      const atMs = traffic.nowMs();
      tellDeath(atMs, "lambdaflex", pid);
      kill();
      // Nobody sends anything from here on.
      deaths.push({ atMs, goneMs: atMs, victim: "lambdaflex", pid, pids: [pid] });
      await traffic.settle("lambdaflex was killed", lastAnswersMs);
      relay.server = null;
      const left = await livingIn(place);
      if (left > 0) throw new Error(`${left} processes outlived lambdaflex`);
    },
    async killOne(victim) {
      const target = oneOf(targets(place.accounts, victim), random);
      return target !== null && kill(target);
    },
    async killTask() {
      const untilMs = traffic.nowMs() + secondServesMs;
      while (traffic.nowMs() < untilMs) {
        const serving = targets(place.accounts, "task").filter(({ served }) => served);
        const target = serving.length < 2 ? null : oneOf(serving, random);
        if (target !== null && (await kill(target))) return;
        await sleep(10);
      }
      throw new Error(`not two tasks serve within ${secondServesMs / 1000} s`);
    },
    async freezeOne(victim, ms) {
      const target = oneOf(targets(place.accounts, victim), random);
      if (target === null || !signalGroup(target, "SIGSTOP")) return false;
      counts.freezes += 1;
      say(`${victim} ${target.pid} is frozen for ${Math.round(ms)} ms`);
      await sleep(ms);
      if (!signalGroup(target, "SIGCONT")) say(`${victim} ${target.pid} was replaced meanwhile`);
      return true;
    },
    async up() {
      traffic.crowd(true);
      await living().until("Fargate serves everybody", upThere);
    },
    async down() {
      traffic.crowd(false);
      await living().until("the burst tier is gone", backHome);
    },
    async end() {
      life?.kill();
      await livingIn(place);
      for (const { pid } of processesIn(place.root)) process.kill(pid, "SIGKILL");
    },
  };
}

/** How many processes live in a place, as soon as none does or after a while. */
async function livingIn(place: Place): Promise<number> {
  const untilMs = performance.now() + leashMs;
  while (processesIn(place.root).length > 0 && performance.now() < untilMs) await sleep(20);
  return processesIn(place.root).length;
}
