/** `lambdaflex shift`: go to a tier now; after a while the policy decides again. */
import { type CommandDef, defineCommand } from "citty";
import { shifted, stayOf } from "../core/override.ts";
import type { Tier } from "../core/types.ts";
import { durationOption } from "./arguments.ts";
import { awsArgs } from "./aws/options.ts";
import { sayWord, staysText, tierArg, tierNamed, type Wish, waitArgs } from "./shift-word.ts";
import { openSource, type Report, sourceArgs } from "./source.ts";
import { tierName } from "./why-text.ts";

const args = {
  ...tierArg,
  ...sourceArgs,
  ...awsArgs,
  ...waitArgs,
  for: {
    type: "string",
    valueHint: "SPAN",
    description: "How long the policy may not turn it back: 30m, 2h; default the minimum stay",
  },
} as const;

const command: CommandDef = defineCommand({
  meta: { name: "shift", description: "Go to a tier now; later the policy decides again" },
  args,
  async run({ args: given }) {
    const tier = tierNamed(given.tier);
    const stayMs = given.for === undefined ? null : durationOption("for", given.for);
    const source = await openSource(given);
    const options = { wait: given.wait === true, json: given.json === true };
    return sayWord(source, (report) => shiftWish(report, tier, stayMs), options);
  },
}) as CommandDef;

export default command;

/** What `shift` wants of a service as it is; `stayMs` is `null` for the tier's minimum stay. */
export function shiftWish(report: Report, tier: Tier, stayMs: number | null): Wish {
  const { atMs, override, target } = report.snapshot;
  const stays = stayMs ?? stayOf(report.snapshot, tier);
  if (target === tier && stayMs === null && (override === null || override.tier === tier)) {
    const until = override === null ? "as the policy wants it" : staysText(override.untilMs, atMs);
    return { tier, word: undefined, sentence: `on ${tierName(tier)} already, ${until}` };
  }
  const word = shifted(tier, atMs, stays);
  const sentence = `shifts to ${tierName(tier)} and stays ${staysText(word.untilMs, atMs)}`;
  return { tier, word, sentence: `${sentence}; then the policy decides again` };
}
