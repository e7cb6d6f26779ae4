import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { bar, count, duration, openScreen, paint, type Screen, span, sparkline } from "./screen.ts";

describe("spans", () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, "0 ms"],
    [850.4, "850 ms"],
    [999.4, "999 ms"],
    [999.6, "1.0 s"],
    [1000, "1.0 s"],
    [12_340, "12.3 s"],
    [59_949, "59.9 s"],
    [59_960, "1 m 00 s"],
    [60_000, "1 m 00 s"],
    [245_000, "4 m 05 s"],
    [119_600, "2 m 00 s"],
    [3_600_000, "60 m 00 s"],
  ];
  for (const [ms, text] of cases) it(`${ms} ms are "${text}"`, () => assert.equal(span(ms), text));

  it("never show 60 seconds or 1000 milliseconds, and are off by half a unit at most", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e8, noNaN: true }), (ms) => {
        const text = span(ms);
        assert.doesNotMatch(text, /\b60(\.0)? s|\b1000 ms/);
        const [, minutes, seconds, millis] =
          /^(?:(\d+) m )?(?:(\d+(?:\.\d)?) s)?(?:(\d+) ms)?$/.exec(text) ?? assert.fail(text);
        const shown =
          Number(minutes ?? 0) * 60_000 + Number(seconds ?? 0) * 1000 + Number(millis ?? 0);
        const unit = minutes !== undefined ? 500 : seconds !== undefined ? 50 : 0.5;
        assert.ok(Math.abs(shown - ms) <= unit + 1e-6, `${ms}: ${text}`);
      }),
    );
  });
});

it("durations are told in their two largest units", () => {
  const texts = [0, 41_400, 125_000, 3_599_900, 12_000_000, 86_400_000 * 4 + 3_600_000 * 7];
  assert.deepEqual(texts.map(duration), [
    "0 s",
    "41 s",
    "2 m 05 s",
    "1 h 00 m",
    "3 h 20 m",
    "4 d 7 h",
  ]);
});

it("counts have separators", () => {
  assert.equal(count(1_234_567.6), "1,234,568");
  assert.equal(count(0), "0");
  fc.assert(
    fc.property(fc.integer(), (value) => {
      assert.equal(count(value), value.toLocaleString("en-US"));
    }),
  );
});

it("a bar has its width, and is full or empty only when the share is", () => {
  assert.equal(bar(0.5, 4), "██░░");
  fc.assert(
    fc.property(fc.double({ min: -1, max: 2, noNaN: true }), (share) => {
      const drawn = bar(share, 20);
      assert.equal(drawn.length, 20);
      assert.match(drawn, /^█*░*$/);
    }),
  );
  assert.equal(bar(-1, 3), "░░░");
  assert.equal(bar(2, 3), "███");
});

it("a line of blocks shows the newest values and reaches its top at the highest", () => {
  assert.equal(sparkline([], 5), "");
  assert.equal(sparkline([9, 9, 0, 4, 8], 3), "▁▄█");
  assert.equal(sparkline([0, 0, 0], 3), "▁▁▁");
  const values = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1 });
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 60 }), (rates, width) => {
      const drawn = sparkline(rates, width);
      assert.equal(drawn.length, Math.min(width, rates.length));
      assert.match(drawn, /^[▁▂▃▄▅▆▇█]+$/);
      if (Math.max(...rates.slice(-width)) >= 1) assert.ok(drawn.includes("█"));
    }),
  );
});

it("paint gives colours up where there is no terminal for them", () => {
  assert.equal(stripVTControlCharacters(paint(["bold", "red"], "text")), "text");
});

/** A terminal that understands the two movements that the screen makes. */
class Terminal {
  readonly isTTY: boolean;
  columns = 40;
  rows = 12;
  #lines: string[] = [""];

  constructor(isTTY: boolean) {
    this.isTTY = isTTY;
  }

  write(text: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: terminals are spoken to in these
    const [, up, rest = ""] = /^(?:\x1b\[(\d+)A\x1b\[0J)?([^\x1b]*)$/s.exec(text) ?? assert.fail();
    if (up !== undefined) {
      assert.ok(Number(up) < this.#lines.length, "never above the first line");
      this.#lines.splice(-1 - Number(up), Infinity, "");
    }
    const [first = "", ...others] = rest.split("\n");
    this.#lines[this.#lines.length - 1] += first;
    this.#lines.push(...others);
  }

  get shown(): string[] {
    return this.#lines.slice(0, -1);
  }
}

describe("the screen", () => {
  const before = { CI: process.env.CI, TERM: process.env.TERM };
  let nowMs = 0;
  const open = (terminal: Terminal): Screen => {
    return openScreen(terminal as unknown as NodeJS.WriteStream, () => nowMs);
  };
  beforeEach(() => {
    nowMs = 0;
    delete process.env.CI;
    process.env.TERM = "xterm";
  });
  afterEach(() => {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });

  it("on a terminal keeps lines above a picture that is drawn over", () => {
    const terminal = new Terminal(true);
    const screen = open(terminal);
    screen.say("begins");
    screen.picture(["a", "b", "c"]);
    assert.deepEqual(terminal.shown, ["begins", "a", "b", "c"]);
    screen.picture(["d"]);
    assert.deepEqual(terminal.shown, ["begins", "d"]);
    screen.say("happened");
    screen.picture(["e", "f"]);
    screen.plain("not on a terminal");
    assert.deepEqual(terminal.shown, ["begins", "happened", "e", "f"]);
    screen.close();
    screen.close();
    assert.deepEqual(terminal.shown, ["begins", "happened"]);
  });

  it("cuts a picture to the terminal, in width and height", () => {
    const terminal = new Terminal(true);
    const screen = open(terminal);
    screen.picture(Array.from({ length: 30 }, () => "x".repeat(100)));
    assert.equal(terminal.shown.length, 10);
    for (const line of terminal.shown) assert.equal(line, `${"x".repeat(39)}…`);
    terminal.columns = 120;
    screen.picture(["x".repeat(100)]);
    assert.deepEqual(terminal.shown, ["x".repeat(100)]);
  });

  it("folds what is wider than the terminal, and keeps its colours", () => {
    const terminal = new Terminal(true);
    const said: string[] = [];
    terminal.write = (text) => said.push(text);
    const says = "nothing; the policy says: 60 requests/min, bursts";
    const line = `  waits       for \x1b[33m${says}\x1b[39m at 3,000`;
    open(terminal).picture([line, "  cost"]);
    const shown = said.join("").split("\n");
    assert.deepEqual(shown, [
      "  waits       for \x1b[33mnothing; the policy ",
      "              says: 60 requests/min, ",
      "              bursts\x1b[39m at 3,000",
      "  cost",
      "",
    ]);
  });

  it("elsewhere prints plain lines now and then, and no picture", () => {
    const terminal = new Terminal(false);
    const screen = open(terminal);
    screen.picture(["a"]);
    screen.plain("one");
    nowMs = 4_999;
    screen.plain("too soon");
    screen.say("an event");
    nowMs = 5_000;
    screen.plain("two");
    screen.close();
    assert.deepEqual(terminal.shown, ["one", "an event", "two"]);
  });

  for (const [name, value] of Object.entries({ CI: "true", TERM: "dumb" })) {
    it(`draws no picture with ${name}=${value}`, () => {
      process.env[name] = value;
      const terminal = new Terminal(true);
      const screen = open(terminal);
      screen.picture(["a"]);
      screen.plain("one");
      assert.deepEqual(terminal.shown, ["one"]);
    });
  }
});
