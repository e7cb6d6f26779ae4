/** Small builders, so that a key of the configuration reads as range, default and sentence. */
import { z } from "zod";
import type { ErrorCode } from "../errors.ts";

/** A key that may be left out. */
export type Field<Value> = z.ZodDefault<z.ZodType<Value, Value>>;

/** A group of keys that may be left out, as may each of its keys. */
export type Section<Output, Input> = z.ZodPrefault<z.ZodType<Output, NonNullable<Input>>>;

/** A whole number from `min` to `max`. */
export function whole(min: number, max: number, fallback: number, sentence: string): Field<number> {
  return z.int().min(min).max(max).default(fallback).describe(sentence);
}

/** A number from `min` to `max`, fractions included. */
export function amount(
  min: number,
  max: number,
  fallback: number,
  sentence: string,
): Field<number> {
  return z.number().min(min).max(max).default(fallback).describe(sentence);
}

/** What a check of ours adds to an issue of zod. */
export interface CheckParams {
  readonly code: ErrorCode;
  readonly hint: string;
}

/** The options of a `refine` that reports `message` under our own code. */
export function problem(
  code: ErrorCode,
  message: string,
  hint: string,
): { readonly error: string; readonly params: Record<string, unknown> } {
  const params: CheckParams = { code, hint };
  return { error: message, params: { ...params } };
}
