/** `lambdaflex pin`: go to a tier and stay there, whatever the alarms say. */
import { type CommandDef, defineCommand } from "citty";
import { pinned } from "../core/override.ts";
import type { Tier } from "../core/types.ts";
import { awsArgs } from "./aws/options.ts";
import { sayWord, tierArg, tierNamed, type Wish, waitArgs } from "./shift-word.ts";
import { openSource, type Report, sourceArgs } from "./source.ts";
import { tierName } from "./why-text.ts";

const command: CommandDef = defineCommand({
  meta: { name: "pin", description: "Go to a tier and stay there until lambdaflex auto" },
  args: { ...tierArg, ...sourceArgs, ...awsArgs, ...waitArgs },
  async run({ args: given }) {
    const tier = tierNamed(given.tier);
    const source = await openSource(given);
    const options = { wait: given.wait === true, json: given.json === true };
    return sayWord(source, (report) => pinWish(report, tier), options);
  },
}) as CommandDef;

export default command;

/** What `pin` wants of a service as it is. */
export function pinWish({ snapshot }: Report, tier: Tier): Wish {
  const { override } = snapshot;
  if (override?.tier === tier && override.untilMs === null) {
    return { tier, word: undefined, sentence: `pinned to ${tierName(tier)} already` };
  }
  const sentence = `pinned to ${tierName(tier)} until lambdaflex auto, whatever the alarms say`;
  return { tier, word: pinned(tier), sentence };
}
