/** JSON files that a person writes: read, and checked key by key, with the line of each mistake. */
import { readFile } from "node:fs/promises";
import { type ErrorCode, UserError } from "../config/errors.ts";
import { locateJsonError } from "../config/json.ts";
import { nearest } from "../config/nearest.ts";

/** The codes under which a kind of file reports its mistakes. */
export interface FileCodes {
  readonly notFound: ErrorCode;
  readonly syntax: ErrorCode;
  readonly keyUnknown: ErrorCode;
  readonly valueInvalid: ErrorCode;
}

/** A file that was read: its text tells the line of a key. */
export interface JsonFile {
  readonly path: string;
  readonly text: string;
  readonly raw: unknown;
  readonly codes: FileCodes;
}

/** One number that a file or an option may set. */
export interface NumberField {
  readonly min: number;
  readonly max: number;
  readonly whole?: boolean;
  readonly unit: string;
}

const bytesMax = 10 * 1024 * 1024;

/** Reads a JSON file. Throws UserError with one of `codes`. */
export async function readJsonFile(path: string, codes: FileCodes): Promise<JsonFile> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    const hint = "Check the path: it is relative to the folder that the command runs in.";
    throw new UserError(codes.notFound, `cannot read ${path}: ${error.code}`, hint);
  });
  if (bytes.length > bytesMax) {
    throw new UserError(codes.syntax, `${path} has ${bytes.length} bytes`, "Is it the right file?");
  }
  const text = bytes.toString("utf8").replace(/^\ufeff/, "");
  try {
    return { path, text, raw: JSON.parse(text), codes };
  } catch (error) {
    const found = locateJsonError(text);
    const where = found === null ? `${error}` : `${found.line}:${found.column}: ${found.message}`;
    const hint = "The file is strict JSON: no comments, no trailing commas, double quotes.";
    throw new UserError(codes.syntax, `${path}:${where}`, hint);
  }
}

/** `file:line: key`, as far as the text tells where the key stands: each part after its parent. */
export function placeOf(file: JsonFile, key: string): string {
  let at = 0;
  for (const name of key.split(".")) {
    at = file.text.indexOf(JSON.stringify(name), at);
    if (at < 0) return `${file.path}: ${key}`;
  }
  return `${file.path}:${file.text.slice(0, at).split("\n").length}: ${key}`;
}

/** The entries of an object all of whose keys are known. Throws UserError. */
export function entriesOf(
  file: JsonFile,
  raw: unknown,
  known: readonly string[],
  prefix = "",
): Readonly<Record<string, unknown>> {
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) {
    const place = prefix === "" ? file.path : placeOf(file, prefix.slice(0, -1));
    const hint = `Its keys: ${known.join(", ")}.`;
    throw new UserError(file.codes.syntax, `${place}: expected one object`, hint);
  }
  for (const key of Object.keys(raw)) {
    if (known.includes(key)) continue;
    const near = nearest(key, known);
    const meant = near === null ? "" : `, did you mean "${near}"?`;
    const message = `${placeOf(file, `${prefix}${key}`)}: there is no such key${meant}`;
    throw new UserError(file.codes.keyUnknown, message, `Valid keys: ${known.join(", ")}.`);
  }
  return raw as Readonly<Record<string, unknown>>;
}

/** A number within the bounds of its field. Throws UserError. */
export function numberOf(file: JsonFile, key: string, value: unknown, field: NumberField): number {
  if (typeof value === "number" && fits(value, field)) return value;
  throw invalid(file, key, boundsOf(field), value, exampleOf(field));
}

/** The least and the most of something, within the bounds of its field. Throws UserError. */
export function rangeOf(
  file: JsonFile,
  key: string,
  value: unknown,
  field: NumberField,
): readonly [min: number, max: number] {
  if (Array.isArray(value) && value.length === 2) {
    const [min, max] = value.map((one) => numberOf(file, key, one, field));
    if (min !== undefined && max !== undefined && min <= max) return [min, max];
  }
  const expected = `two numbers (${field.unit}), the lower one first`;
  throw invalid(file, key, expected, value, "For example [30, 60].");
}

/** One of some words. Throws UserError. */
export function wordOf<Word extends string>(
  file: JsonFile,
  key: string,
  value: unknown,
  words: readonly Word[],
): Word {
  const found = words.find((word) => word === value);
  if (found !== undefined) return found;
  throw invalid(file, key, `one of ${words.join(", ")}`, value, `For example "${words[0]}".`);
}

/** A text that is not empty. Throws UserError. */
export function textOf(file: JsonFile, key: string, value: unknown, example: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw invalid(file, key, "a text", value, `For example "${example}".`);
}

/** Whether a number is within the bounds of its field. */
export function fits(value: number, { min, max, whole }: NumberField): boolean {
  return value >= min && value <= max && (whole !== true || Number.isInteger(value));
}

/** The bounds in words. */
export function boundsOf({ min, max, whole, unit }: NumberField): string {
  return `a ${whole === true ? "whole " : ""}number from ${min} to ${max} (${unit})`;
}

function exampleOf({ min, unit }: NumberField): string {
  return `The unit is ${unit}; the least possible value is ${min}.`;
}

function invalid(
  file: JsonFile,
  key: string,
  expected: string,
  value: unknown,
  hint: string,
): UserError {
  const found = value === undefined ? "nothing" : JSON.stringify(value).slice(0, 60);
  const message = `${placeOf(file, key)}: expected ${expected}, found ${found}`;
  return new UserError(file.codes.valueInvalid, message, hint);
}
