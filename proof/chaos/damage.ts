/** What can happen to the state folder between two runs. */
import { readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { NotStarted } from "./life.ts";
import type { Place } from "./service.ts";
import type { Stage } from "./stage.ts";

/** One way to damage the state. */
export interface Damage {
  readonly about: string;
  readonly apply: (place: Place) => void;
}

/** The newest revision of the engine's memory. */
function newestStatus({ state }: Place): string {
  const folder = join(state, "chaos");
  const revisions = readdirSync(folder).flatMap((name) => {
    const number = /^status\.(\d+)\.json$/.exec(name)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
  return join(folder, `status.${Math.max(...revisions)}.json`);
}

const cloudFile = ({ state }: Place): string => join(state, "chaos", "cloud.json");

function halve(file: string): void {
  truncateSync(file, Math.floor(readFileSync(file).length / 2));
}

/** Damage that lambdaflex must live with. */
export const damages: Readonly<Record<string, Damage>> = {
  truncated: {
    about: "the newest status is cut in half",
    apply: (place) => halve(newestStatus(place)),
  },
  empty: {
    about: "the newest status is empty",
    apply: (place) => truncateSync(newestStatus(place), 0),
  },
  garbage: {
    about: "the newest status is garbage",
    apply: (place) => writeFileSync(newestStatus(place), Buffer.from([0, 255, 123, 34, 10, 0])),
  },
  "cloud-truncated": {
    about: "the facts of the cloud are cut in half",
    apply: (place) => halve(cloudFile(place)),
  },
};

/** A state of another version is refused and left alone; with its own state it goes on. */
export async function refusesForeign(stage: Stage): Promise<void> {
  await stage.up();
  await stage.killLambdaflex();
  const file = newestStatus(stage.place);
  const own = readFileSync(file);
  const foreign = '{ "version": 99, "weights": {} }\n';
  writeFileSync(file, foreign);
  const refusal = await stage.begin().then(
    () => null,
    (error: Error) => error,
  );
  if (!(refusal instanceof NotStarted)) throw new Error("it took up a state that is not its own");
  if (!refusal.message.includes("is of another version")) throw refusal;
  stage.say("refused, with the reason");
  if (readFileSync(file, "utf8") !== foreign) throw new Error("it wrote over a foreign state");
  writeFileSync(file, own);
  await stage.begin();
  await stage.up();
  await stage.down();
}
