/** The scenarios of chaos, by name. Each begins with a fresh service that Lambda serves. */
import { setTimeout as sleep } from "node:timers/promises";
import { damages, refusesForeign } from "./damage.ts";
import { fillsDisk } from "./disk.ts";
import type { Facts } from "./life.ts";
import { calm } from "./relay.ts";
import { type Stage, upThere } from "./stage.ts";

/** Something that goes wrong. */
export interface Scenario {
  readonly name: string;
  readonly about: string;
  /** Rejects with Skipped where this machine cannot play it. */
  readonly play: (stage: Stage) => Promise<void>;
}

/** Each phase of the cycle, by what lambdaflex says of itself, and on which way it is passed. */
const moments: Readonly<Record<string, readonly ["up" | "down", (facts: Facts) => boolean]>> = {
  lambda: ["up", ({ phase, target }) => phase === "steady" && target === "lambda"],
  provisioning: ["up", ({ phase }) => phase === "provisioning"],
  "shifting-up": ["up", ({ phase, weight }) => phase === "shifting" && weight > 0],
  fargate: ["down", upThere],
  "shifting-down": [
    "down",
    ({ phase, target, weight }) => phase === "shifting" && target === "lambda" && weight < 100,
  ],
  draining: ["down", ({ phase }) => phase === "draining"],
  deprovisioning: ["down", ({ phase }) => phase === "deprovisioning"],
  removing: ["down", ({ stack }) => stack === "deleting"],
};

/** Traffic before and after an event, real. */
const breathMs = 300;

function killedIn(name: string): Scenario {
  const [way, holds] = moments[name] ?? ["up", () => true];
  return {
    name: `kill-${name}`,
    about: `kill -9 of lambdaflex: ${name}`,
    async play(stage) {
      if (way === "down") await stage.up();
      await sleep(breathMs);
      stage.traffic.crowd(way === "up" && name !== "lambda");
      await stage.life.until(`the moment "${name}"`, holds);
      await stage.killLambdaflex();
      await stage.begin();
      if (way === "up") await stage.up();
      await sleep(breathMs);
      await stage.down();
    },
  };
}

const strikes = 6;

/** Strikes tasks on Fargate; a second one lives each time, as DNS cannot lead away at once. */
function onTasks(
  name: string,
  about: string,
  strike: (stage: Stage) => Promise<unknown>,
): Scenario {
  return {
    name,
    about,
    async play(stage) {
      await stage.up();
      for (let n = 0; n < strikes; n += 1) {
        await stage.life.until("two tasks are healthy", ({ healthy }) => healthy >= 2);
        await sleep(breathMs * (0.5 + stage.random()));
        await strike(stage);
        await sleep(breathMs);
      }
      await stage.down();
    },
  };
}

/** Strikes environments while Lambda serves the crowd and the burst tier is being prepared. */
function onEnvironments(
  name: string,
  about: string,
  strike: (stage: Stage) => Promise<unknown>,
): Scenario {
  return {
    name,
    about,
    async play(stage) {
      stage.traffic.crowd(true);
      for (let n = 0; n < strikes; n += 1) {
        await sleep(breathMs * (0.5 + stage.random()));
        await strike(stage);
      }
      await stage.up();
      await stage.down();
    },
  };
}

const freezeMs = (stage: Stage): number => 200 + stage.random() * 1300;

function weather(name: string, about: string, now: Stage["relay"]["weather"]): Scenario {
  return {
    name,
    about,
    async play(stage) {
      stage.relay.weather = now;
      await stage.up();
      await stage.down();
      stage.relay.weather = calm;
    },
  };
}

/** All scenarios, in the order in which they are played. */
export const scenarios: readonly Scenario[] = [
  ...Object.keys(moments).map(killedIn),
  onTasks("kill-tasks", "kill -9 of tasks under load", (stage) => stage.killTask()),
  onTasks("freeze-tasks", "tasks stand still under load", (stage) =>
    stage.freezeOne("task", freezeMs(stage)),
  ),
  onEnvironments("kill-environments", "kill -9 of Lambda environments", async (stage) =>
    stage.killOne("environment"),
  ),
  onEnvironments("freeze-environments", "Lambda environments stand still", (stage) =>
    stage.freezeOne("environment", freezeMs(stage)),
  ),
  ...Object.entries(damages).map(([name, damage]) => ({
    name: `state-${name}`,
    about: `the state between two runs: ${damage.about}`,
    async play(stage: Stage) {
      await stage.up();
      await stage.killLambdaflex();
      damage.apply(stage.place);
      await stage.begin();
      await stage.up();
      await stage.down();
    },
  })),
  { name: "state-foreign", about: "the state is of another version", play: refusesForeign },
  weather("dns-slow", "DNS answers come up to 1 s late", { delayMsMax: 1000, lossesMax: 0 }),
  weather("dns-lossy", "DNS packets are lost, up to three per question", {
    delayMsMax: 20,
    lossesMax: 3,
  }),
  { name: "disk-full", about: "the disk of the state folder is full", play: fillsDisk },
];
