/** The owner's word as the commands `shift`, `pin` and `auto` say it, and what follows from it. */
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../config/errors.ts";
import type { Snapshot } from "../core/record.ts";
import type { Override, Tier } from "../core/types.ts";
import { interruptedCode, interruptSignal } from "./interrupt.ts";
import { duration, openScreen, painter } from "./screen.ts";
import type { Report, Source } from "./source.ts";
import { sourceText, statusLine, statusLines, waitText } from "./status-text.ts";
import { tierName } from "./why-text.ts";

/** The tier that a command is about. */
export const tierArg = {
  tier: {
    type: "positional",
    required: true,
    valueHint: "lambda|fargate",
    description: "Where the traffic shall go",
  },
} as const;

/** What `shift` and `pin` share besides. */
export const waitArgs = {
  wait: { type: "boolean", description: "Follow it until the traffic is there" },
  json: { type: "boolean", description: "What was asked for as one JSON object" },
} as const;

/** Reads the tier. Throws UserError OPTION_INVALID. */
export function tierNamed(text: string): Tier {
  if (text === "lambda" || text === "fargate") return text;
  const message = `"${text}" is no tier`;
  throw new UserError("OPTION_INVALID", message, "Write lambda or fargate.");
}

/** What a command does with a service as it is: a word, or nothing because it is so already. */
export interface Wish {
  readonly tier: Tier | null;
  /** `undefined` = nothing is to be done. */
  readonly word: Override | null | undefined;
  /** What to say about it. */
  readonly sentence: string;
}

/** How a command is carried out. */
export interface SayOptions {
  readonly wait: boolean;
  readonly json: boolean;
}

/** Looks, says the word if there is one to say, and tells what happens next. */
export async function sayWord(
  source: Source,
  wishOf: (report: Report) => Wish,
  { wait, json }: SayOptions,
): Promise<number> {
  const report = await source.report();
  const wish = wishOf(report);
  if (wish.word !== undefined) await source.override(wish.word);
  const changed = wish.word !== undefined;
  const lines = json
    ? [JSON.stringify({ source: report.source, changed, override: wordAfter(report, wish) })]
    : [
        `${report.snapshot.service} (${sourceText(report.source, report.speed)}): ${wish.sentence}`,
        ...(changed ? [`  next   ${nextText(report.snapshot, wish.tier)}`] : []),
        ...(changed && !wait ? ["  watch  lambdaflex status --watch"] : []),
      ];
  process.stdout.write(`${lines.join("\n")}\n`);
  if (!wait || wish.tier === null) return 0;
  return follow(source, wish.tier);
}

function wordAfter({ snapshot }: Report, { word }: Wish): Override | null {
  return word === undefined ? snapshot.override : word;
}

/** What the engine does first on the way to a tier. */
export function nextText({ route, tiers, target, reason }: Snapshot, tier: Tier | null): string {
  if (tier === null) return `the policy decides: ${reason}`;
  if (tier === target && route[tier] === 100) return `stays on ${tierName(tier)}`;
  if (tier === "fargate") {
    if (tiers.fargate.state === "ready") return "the weights move to Fargate in steps";
    return "the burst tier comes up, then the weights move to Fargate in steps";
  }
  if (route.fargate > 0) return "the weights move to Lambda in steps, then Fargate drains and goes";
  return "the burst tier is removed";
}

/** Whether the way to a tier is complete. */
function arrived({ target, phase, route }: Snapshot, tier: Tier): boolean {
  return target === tier && phase === "steady" && route[tier] === 100;
}

const lookMs = { local: 250, aws: 3_000 };

/** Follows the way to `tier`; 0 when it is complete, 1 when the engine has given it up. */
async function follow(source: Source, tier: Tier): Promise<number> {
  const screen = openScreen(process.stderr, () => performance.now());
  const paint = painter(process.stderr);
  const interrupt = interruptSignal();
  let begun = false;
  try {
    while (!interrupt.signal.aborted) {
      const report = await source.report();
      const { snapshot } = report;
      begun ||= snapshot.target === tier;
      if (arrived(snapshot, tier)) {
        screen.close();
        screen.say(`arrived on ${tierName(tier)}`);
        return 0;
      }
      // The first looks may come before the controller has taken the word up.
      if (begun && snapshot.target !== tier) {
        screen.close();
        screen.say(`given up: ${snapshot.lastSwitch?.reason ?? waitText(snapshot)}`);
        return 1;
      }
      screen.picture(statusLines(report, paint));
      screen.plain(statusLine(report));
      const pause = sleep(lookMs[report.source.on], undefined, { signal: interrupt.signal });
      await pause.catch(() => undefined);
    }
  } finally {
    screen.close();
    interrupt.dispose();
  }
  return interruptedCode;
}

/** How long, in words. */
export function staysText(untilMs: number | null, nowMs: number): string {
  return untilMs === null ? "until lambdaflex auto" : `for ${duration(untilMs - nowMs)}`;
}
