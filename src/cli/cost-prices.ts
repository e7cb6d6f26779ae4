/** Price lists by region: the one that is built in, and those of a file. */
import { UserError } from "../config/errors.ts";
import { nearest } from "../config/nearest.ts";
import { type Prices, usEast1 } from "../core/prices.ts";
import {
  entriesOf,
  type FileCodes,
  type JsonFile,
  numberOf,
  readJsonFile,
  textOf,
} from "./simulate-fields.ts";

/** Price lists by the name of their region. */
export type PriceBook = Readonly<Record<string, Prices>>;

/** What is known without a file. */
export const priceBookDefault: PriceBook = { [usEast1.region]: usEast1 };

/** The codes of a price file's mistakes. */
export const priceCodes: FileCodes = {
  notFound: "PRICES_NOT_FOUND",
  syntax: "PRICES_SYNTAX",
  keyUnknown: "PRICES_KEY_UNKNOWN",
  valueInvalid: "PRICES_VALUE_INVALID",
};

type PriceKey = Exclude<keyof Prices, "region" | "asOf">;

const isPriceKey = (key: string): key is PriceKey => key !== "region" && key !== "asOf";

/** The names of all prices. */
export const priceKeys: readonly PriceKey[] = Object.keys(usEast1).filter(isPriceKey);

/** A capacity unit is defined alike in every region: these two may be left out. */
const capacityKeys: readonly PriceKey[] = ["lcuNewConnectionsPerSecond", "lcuGBPerHour"];

/**
 * Reads a file of one price list or a list of them; its regions come before the built-in ones. A
 * list for the built-in region may name only what differs. Throws UserError.
 */
export async function loadPrices(path: string | undefined): Promise<PriceBook> {
  if (path === undefined) return priceBookDefault;
  const file = await readJsonFile(path, priceCodes);
  const lists: readonly unknown[] = Array.isArray(file.raw) ? file.raw : [file.raw];
  if (lists.length === 0) {
    const hint = `A list has the keys region, asOf, ${priceKeys.join(", ")}.`;
    throw new UserError("PRICES_SYNTAX", `${path}: there is no price list in it`, hint);
  }
  const book: Record<string, Prices> = { ...priceBookDefault };
  for (const raw of lists) {
    const prices = priceList(file, raw);
    book[prices.region] = prices;
  }
  return book;
}

function priceList(file: JsonFile, raw: unknown): Prices {
  const given = entriesOf(file, raw, ["region", "asOf", ...priceKeys]);
  const region = textOf(file, "region", given.region, "eu-west-1");
  const asOf = textOf(file, "asOf", given.asOf, "2026-09");
  const builtIn = Object.hasOwn(priceBookDefault, region) ? priceBookDefault[region] : undefined;
  const missing = priceKeys.filter(
    (key) => given[key] === undefined && !capacityKeys.includes(key),
  );
  if (builtIn === undefined && missing.length > 0) {
    const message = `${file.path}: the prices of ${region} lack ${missing.join(", ")}`;
    throw new UserError("PRICES_VALUE_INVALID", message, "Add them; 0 is a price too.");
  }
  return withPrices({ ...(builtIn ?? usEast1), region, asOf }, file, given);
}

/** A price list with the prices that `given` names. Throws UserError. */
export function withPrices(
  prices: Prices,
  file: JsonFile,
  given: Readonly<Record<string, unknown>>,
): Prices {
  const changed: Record<string, number> = {};
  for (const key of priceKeys) {
    if (given[key] === undefined) continue;
    const capacity = capacityKeys.includes(key);
    const field = { min: capacity ? 0.001 : 0, max: 1e6, unit: capacity ? "per LCU" : "USD" };
    changed[key] = numberOf(file, key, given[key], field);
  }
  return { ...prices, ...changed };
}

/** The prices of a region. Throws UserError REGION_UNKNOWN. */
export function pricesOf(book: PriceBook, region: string): Prices {
  const known = Object.keys(book);
  if (Object.hasOwn(book, region)) return book[region] ?? usEast1;
  const near = nearest(region, known);
  const meant = near === null || region.length < 4 ? "" : `, did you mean ${near}?`;
  throw new UserError(
    "REGION_UNKNOWN",
    `there are no prices for the region "${region}"${meant}`,
    `Known: ${known.join(", ")}. Prices of another one come from a file: --prices FILE.`,
  );
}
