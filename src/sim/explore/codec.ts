/**
 * States as numbers below 2^53, so that millions fit into memory. Each field is a digit with a
 * weight of its own: a change of few fields is a sum of few products.
 */
import { type AbstractState, ageMax, routes, type Stack, stacks } from "./state.ts";

type Key = keyof AbstractState;
/** Some fields of a state that change. */
export type Change = Partial<AbstractState>;

const tiers = ["lambda", "fargate"] as const;
const overrides = [null, "lambda", "fargate"] as const;
const flags = [false, true] as const;
const fromNull = <T>(values: readonly T[]): readonly (T | null)[] => [null, ...values];
const upTo = (max: number, min = 0): readonly number[] =>
  Array.from({ length: max - min + 1 }, (_, at) => at + min);

/** Every value of every field; what the engine cannot see comes last. */
const values: { readonly [K in Key]: readonly AbstractState[K][] } = {
  target: tiers,
  targetAge: upTo(ageMax + 1),
  route: upTo(routes.length - 1),
  shiftedAge: upTo(ageMax + 1, -1),
  syncedAge: upTo(ageMax, -1),
  healthyAge: upTo(1, -1),
  probes: upTo(1),
  hold: upTo(1),
  override: overrides,
  stack: stacks,
  orphans: flags,
  skew: upTo(2),
  shown: upTo(routes.length - 1),
  inSync: flags,
  lingering: flags,
  client: upTo(2),
  pendingProvision: upTo(2),
  pendingRoute: upTo(routes.length - 1, -1),
  pendingRemoval: flags,
  excused: flags,
  before: fromNull<Stack>(stacks),
};

const keys = Object.keys(values) as readonly Key[];
const firstHidden = keys.indexOf("lingering");

interface Digit {
  readonly key: Key;
  readonly weight: number;
  readonly of: ReadonlyMap<unknown, number>;
  readonly values: readonly unknown[];
}

const digits = new Map<Key, Digit>();
for (let at = keys.length - 1, weight = 1; at >= 0; at -= 1) {
  const key = keys[at] ?? "target";
  const of = new Map<unknown, number>(values[key].map((value, digit) => [value, digit * weight]));
  digits.set(key, { key, weight, of, values: values[key] });
  weight *= values[key].length;
}
const inOrder = keys.map((key) => digitOf(key));

/** How many codes the hidden fields take: a code divided by it is what the engine sees. */
export const hiddenCodes: number = digitOf(keys[firstHidden - 1] ?? "target").weight;

function digitOf(key: Key): Digit {
  const digit = digits.get(key);
  if (digit === undefined) throw new RangeError(`no field ${key}`);
  return digit;
}

function share(key: Key, value: unknown): number {
  const found = digitOf(key).of.get(value);
  if (found === undefined) throw new RangeError(`${key} cannot be ${String(value)}`);
  return found;
}

/** The code of a whole state. */
export function encode(state: AbstractState): number {
  let code = 0;
  for (const key of keys) code += share(key, state[key]);
  return code;
}

/** The code of what the engine remembers and may observe. */
export function viewOf(code: number): number {
  return Math.floor(code / hiddenCodes);
}

/** The code after a change of `state`, which has `code` now. */
export function changed(code: number, state: AbstractState, change: Change): number {
  let next = code;
  for (const key in change) {
    const field = key as Key;
    const value = change[field];
    if (value !== state[field]) next += share(field, value) - share(field, state[field]);
  }
  return next;
}

/** The state of a code. */
export function decode(code: number): AbstractState {
  const state: Record<string, unknown> = {};
  let rest = code;
  for (const { key, weight, values: all } of inOrder) {
    const at = Math.floor(rest / weight);
    rest -= at * weight;
    state[key] = all[at];
  }
  return state as unknown as AbstractState;
}
