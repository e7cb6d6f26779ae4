/** Small checks for data from files: each says what is wrong, or `null`. */

/** The problem with a value, `null` if there is none. */
export type Check = (value: unknown) => string | null;

/** A number that can be drawn. */
export const isNumber: Check = (value) => (Number.isFinite(value) ? null : "not a number");

/** Text of a bearable length. */
export const isText: Check = (value) =>
  typeof value === "string" && value.length <= 4000 ? null : "not a text";

/** One of a few values. */
export function oneOf(...values: readonly string[]): Check {
  return (value) =>
    values.includes(value as string) ? null : `not one of ${values.slice(0, 9).join(", ")}`;
}

/** A yes or a no. */
export const isTrueOrFalse: Check = (value) =>
  typeof value === "boolean" ? null : "neither true nor false";

/** What `check` accepts, or `null`. */
export function orNull(check: Check): Check {
  return (value) => (value === null ? null : check(value));
}

/** At most `entriesMax` of what `check` accepts. */
export function listOf(check: Check, entriesMax: number): Check {
  return (value) => {
    if (!Array.isArray(value) || value.length > entriesMax) return "not a list";
    return value.map(check).find((problem) => problem !== null) ?? null;
  };
}

/** An object with any keys and plain values. */
export const isPlain: Check = (value) => {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return "not an object";
  const plain = Object.values(value).every((one) => one === null || typeof one !== "object");
  return plain ? null : "not plain values";
};

/** An object that has these keys; more are allowed, for newer writers. */
export function object(fields: Readonly<Record<string, Check>>): Check {
  return (value) => {
    if (value === null || typeof value !== "object") return "not an object";
    for (const [key, check] of Object.entries(fields)) {
      const problem = check(Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined);
      if (problem !== null) return `${key}: ${problem}`;
    }
    return null;
  };
}
