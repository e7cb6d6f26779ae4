/** `lambdaflex auto`: the policy decides again. */
import { type CommandDef, defineCommand } from "citty";
import { awsArgs } from "./aws/options.ts";
import { sayWord, type Wish } from "./shift-word.ts";
import { openSource, type Report, sourceArgs } from "./source.ts";

const args = {
  ...sourceArgs,
  ...awsArgs,
  json: { type: "boolean", description: "What was asked for as one JSON object" },
} as const;

const command: CommandDef = defineCommand({
  meta: { name: "auto", description: "Take the owner's word back: the policy decides again" },
  args,
  async run({ args: given }) {
    const source = await openSource(given);
    return sayWord(source, autoWish, { wait: false, json: given.json === true });
  },
}) as CommandDef;

export default command;

/** What `auto` wants of a service as it is. */
export function autoWish({ snapshot }: Report): Wish {
  if (snapshot.override === null) {
    return { tier: null, word: undefined, sentence: "the policy decides already" };
  }
  return { tier: null, word: null, sentence: "the policy decides again" };
}
