/** DynamoDB's expressions: conditions and updates, parsed and evaluated. */
import type { Item } from "../../../world/world.ts";
import { AwsError } from "../../wire/protocol.ts";

/** An attribute value as it goes over the wire. */
export type Attribute = Readonly<Record<string, unknown>>;

/** Names and values that placeholders stand for. */
export interface Placeholders {
  readonly names: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, Attribute>>;
}

const tokenPattern = /<>|<=|>=|[#:]?[A-Za-z_][\w.]*|[()=<>,+-]|\d+/g;

function invalid(message: string): AwsError {
  return new AwsError("ValidationException", message);
}

/** A cursor over tokens. */
class Tokens {
  readonly #tokens: readonly string[];
  #at = 0;
  constructor(text: string) {
    this.#tokens = text.match(tokenPattern) ?? [];
  }
  peek(): string {
    return this.#tokens[this.#at] ?? "";
  }
  next(): string {
    this.#at += 1;
    return this.#tokens[this.#at - 1] ?? "";
  }
  is(word: string): boolean {
    return this.peek().toUpperCase() === word;
  }
  accept(word: string): boolean {
    const found = this.is(word);
    if (found) this.#at += 1;
    return found;
  }
  expect(word: string): void {
    if (!this.accept(word)) throw invalid(`Syntax error; token: "${this.peek()}", not ${word}`);
  }
}

/** Whether the condition holds for an item; a missing item has no attributes. */
export function holds(text: string | undefined, item: Item, placeholders: Placeholders): boolean {
  if (text === undefined || text === "") return true;
  const tokens = new Tokens(text);
  const result = anyOf(tokens, item, placeholders);
  if (tokens.peek() !== "") throw invalid(`Syntax error; token: "${tokens.peek()}"`);
  return result;
}

function anyOf(tokens: Tokens, item: Item, placeholders: Placeholders): boolean {
  let result = allOf(tokens, item, placeholders);
  while (tokens.accept("OR")) {
    const right = allOf(tokens, item, placeholders);
    result = result || right;
  }
  return result;
}

function allOf(tokens: Tokens, item: Item, placeholders: Placeholders): boolean {
  let result = negated(tokens, item, placeholders);
  while (tokens.accept("AND")) {
    const right = negated(tokens, item, placeholders);
    result = result && right;
  }
  return result;
}

function negated(tokens: Tokens, item: Item, placeholders: Placeholders): boolean {
  if (tokens.accept("NOT")) return !negated(tokens, item, placeholders);
  if (tokens.accept("(")) {
    const inner = anyOf(tokens, item, placeholders);
    tokens.expect(")");
    return inner;
  }
  const call = /^(attribute_exists|attribute_not_exists|begins_with)$/.exec(tokens.peek())?.[1];
  return call ? called(tokens, item, placeholders) : compared(tokens, item, placeholders);
}

function called(tokens: Tokens, item: Item, placeholders: Placeholders): boolean {
  const name = tokens.next();
  tokens.expect("(");
  const left = operand(tokens.next(), item, placeholders);
  let start: Attribute | undefined;
  if (tokens.accept(",")) start = operand(tokens.next(), item, placeholders);
  tokens.expect(")");
  if (name === "attribute_exists") return left !== undefined;
  if (name === "attribute_not_exists") return left === undefined;
  return String(left?.S ?? "").startsWith(String(start?.S ?? "\u0000"));
}

function compared(tokens: Tokens, item: Item, placeholders: Placeholders): boolean {
  const left = operand(tokens.next(), item, placeholders);
  const operator = tokens.next().toUpperCase();
  const right = operand(tokens.next(), item, placeholders);
  if (operator === "BETWEEN") {
    tokens.expect("AND");
    const high = operand(tokens.next(), item, placeholders);
    return order(left, right) >= 0 && order(left, high) <= 0;
  }
  if (operator === "=") return left !== undefined && order(left, right) === 0;
  if (operator === "<>") return left === undefined || order(left, right) !== 0;
  // An attribute that is missing fulfils no comparison.
  if (left === undefined) return false;
  if (operator === "<") return order(left, right) < 0;
  if (operator === "<=") return order(left, right) <= 0;
  if (operator === ">") return order(left, right) > 0;
  if (operator === ">=") return order(left, right) >= 0;
  throw invalid(`Syntax error; token: "${operator}"`);
}

function order(a: Attribute | undefined, b: Attribute | undefined): number {
  if (a?.N !== undefined && b?.N !== undefined) return Number(a.N) - Number(b.N);
  const left = JSON.stringify(a?.S ?? a ?? null);
  const right = JSON.stringify(b?.S ?? b ?? null);
  return left === right ? 0 : left < right ? -1 : 1;
}

function nameOf(token: string, { names }: Placeholders): string {
  if (!token.startsWith("#")) return token;
  const name = names[token];
  if (name === undefined) throw invalid(`An expression attribute name is not defined: ${token}`);
  return name;
}

function operand(token: string, item: Item, placeholders: Placeholders): Attribute | undefined {
  if (!token.startsWith(":")) return item[nameOf(token, placeholders)];
  const value = placeholders.values[token];
  if (value === undefined) throw invalid(`An expression attribute value is not defined: ${token}`);
  return value;
}

/** The item after an update expression of SET, REMOVE and ADD. */
export function updated(text: string, item: Item, placeholders: Placeholders): Item {
  const tokens = new Tokens(text);
  const result: Record<string, Attribute> = { ...item };
  while (tokens.peek() !== "") {
    const clause = tokens.next().toUpperCase();
    do {
      const name = nameOf(tokens.next(), placeholders);
      if (clause === "SET") {
        tokens.expect("=");
        result[name] = assigned(tokens, item, placeholders);
      } else if (clause === "REMOVE") {
        delete result[name];
      } else if (clause === "ADD") {
        const addend = operand(tokens.next(), item, placeholders);
        result[name] = { N: String(Number(item[name]?.N ?? 0) + Number(addend?.N ?? 0)) };
      } else throw invalid(`Syntax error; token: "${clause}"`);
    } while (tokens.accept(","));
  }
  return result;
}

function assigned(tokens: Tokens, item: Item, placeholders: Placeholders): Attribute {
  const first = value(tokens, item, placeholders);
  const sign = tokens.is("+") ? 1 : tokens.is("-") ? -1 : 0;
  if (sign === 0) return first;
  tokens.next();
  const second = value(tokens, item, placeholders);
  return { N: String(Number(first.N) + sign * Number(second.N)) };
}

function value(tokens: Tokens, item: Item, placeholders: Placeholders): Attribute {
  const token = tokens.next();
  let found: Attribute | undefined;
  if (token === "if_not_exists") {
    tokens.expect("(");
    found = operand(tokens.next(), item, placeholders);
    tokens.expect(",");
    found ??= operand(tokens.next(), item, placeholders);
    tokens.expect(")");
  } else found = operand(token, item, placeholders);
  if (found === undefined) {
    throw invalid("The provided expression refers to an attribute that does not exist in the item");
  }
  return found;
}
