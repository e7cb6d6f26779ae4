import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type Check,
  isNumber,
  isPlain,
  isText,
  isTrueOrFalse,
  listOf,
  object,
  oneOf,
  orNull,
} from "./shape-check.ts";

describe("single values", () => {
  test("numbers are finite", () => {
    for (const good of [0, -1.5, 1e300]) assert.equal(isNumber(good), null);
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, "1", null, undefined, {}]) {
      assert.equal(isNumber(bad), "not a number");
    }
  });

  test("texts have a bearable length", () => {
    assert.equal(isText(""), null);
    assert.equal(isText("x".repeat(4000)), null);
    for (const bad of ["x".repeat(4001), 1, null, ["x"]]) assert.equal(isText(bad), "not a text");
  });

  test("flags are true or false", () => {
    assert.deepEqual([isTrueOrFalse(true), isTrueOrFalse(false)], [null, null]);
    assert.equal(isTrueOrFalse(0), "neither true nor false");
  });

  test("one of a few is named, up to nine of them", () => {
    const check = oneOf("a", "b");
    assert.deepEqual([check("a"), check("b")], [null, null]);
    assert.equal(check("c"), "not one of a, b");
    assert.equal(oneOf(..."abcdefghijk")("z"), "not one of a, b, c, d, e, f, g, h, i");
  });

  test("null is accepted only where it may be", () => {
    assert.equal(orNull(isNumber)(null), null);
    assert.equal(orNull(isNumber)(1), null);
    assert.equal(orNull(isNumber)("1"), "not a number");
  });
});

describe("lists", () => {
  const check = listOf(isNumber, 2);

  test("have so many entries at most", () => {
    for (const good of [[], [1], [1, 2]]) assert.equal(check(good), null);
    for (const bad of [[1, 2, 3], { length: 1 }, "12", null]) {
      assert.equal(check(bad), "not a list");
    }
  });

  test("are as good as the worst of their entries", () => {
    assert.equal(check([1, "2"]), "not a number");
    assert.equal(check(["1", 2]), "not a number");
  });
});

describe("objects", () => {
  test("with any keys hold plain values", () => {
    for (const good of [{}, { a: 1, b: "x", c: null }]) assert.equal(isPlain(good), null);
    for (const bad of [null, [], "a", 1]) assert.equal(isPlain(bad), "not an object");
    for (const bad of [{ a: {} }, { a: 1, b: [] }, { a: {}, b: 1 }]) {
      assert.equal(isPlain(bad), "not plain values");
    }
  });

  test("have the stated keys, and may have more", () => {
    const check = object({ a: isNumber, b: object({ c: isText }) });
    assert.equal(check({ a: 1, b: { c: "x" }, d: 2 }), null);
    assert.equal(check({ a: 1, b: { c: 2 } }), "b: c: not a text");
    assert.equal(check({ a: "1", b: { c: "x" } }), "a: not a number");
    assert.equal(check({ b: { c: "x" } }), "a: not a number");
    for (const bad of [null, 1, "a"]) assert.equal(check(bad), "not an object");
  });

  test("own what they have: a key of every object is not enough", () => {
    const given: Check = (value) => (value === undefined ? "nothing" : null);
    assert.equal(object({ toString: given })({}), "toString: nothing");
    assert.equal(object({ toString: given })({ toString: 1 }), null);
  });
});
