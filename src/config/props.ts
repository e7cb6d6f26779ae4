/**
 * The configuration's keys as flat properties, for code that builds stacks: a property is a key
 * without its dots, so that `lambda.memoryMB` is `lambdaMemoryMB`.
 */
import { jsonSchema, type Leaf, leaves } from "./keys.ts";
import type { Config, ConfigInput } from "./types.ts";

/** Keys that a deployment has no use for: how the service starts is in the image. */
const localKeys = /^(\$schema|command|setup|load\.|watch\.|lambda\.idleMinutes$)/;

/** A property and the key that it stands for. */
export interface Prop extends Leaf {
  readonly name: string;
}

/** All properties, in the schema's order. */
export function deployedProps(): readonly Prop[] {
  return leaves(jsonSchema())
    .filter(({ path }) => !localKeys.test(path) && !path.includes("[]"))
    .map((leaf) => ({ ...leaf, name: propName(leaf.path) }));
}

function propName(path: string): string {
  return path.replace(/\.([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** What `lambdaflex.json` would hold; names that are no property stay, to be refused as keys. */
export function inputFromProps(props: Readonly<Record<string, unknown>>): ConfigInput {
  const paths = new Map(deployedProps().map(({ name, path }) => [name, path.split(".")]));
  const input: Record<string, unknown> = { command: ":" };
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined) continue;
    const keys = paths.get(name) ?? [name];
    let group = input;
    for (const key of keys.slice(0, -1)) {
      group[key] ??= {};
      group = group[key] as Record<string, unknown>;
    }
    group[keys.at(-1) ?? name] = value;
  }
  return input as unknown as ConfigInput;
}

/** The properties of a complete configuration. */
export function propsFromConfig(config: Config): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    deployedProps().map(({ name, path }) => {
      const keys = path.split(".");
      const value = keys.reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], config);
      return [name, value];
    }),
  );
}
