import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type CommandDef, runCommand } from "citty";
import fc from "fast-check";
import { UserError } from "../config/errors.ts";
import {
  checkArguments,
  choiceOption,
  durationOption,
  numberOption,
  repeatable,
  valuesOf,
} from "./arguments.ts";

const command: CommandDef = {
  args: {
    config: { type: "string", description: "Folder or file of the configuration" },
    seed: { type: "string" },
    json: { type: "boolean" },
    web: { type: "boolean", default: true },
  },
};

const good: readonly (readonly string[])[] = [
  [],
  ["--json"],
  ["--config", "folder", "--json"],
  ["--config=folder", "--seed", "7"],
  ["--config=a=b"],
  ["--config=--json"],
  ["--config", "-"],
  ["--config", "with blank\nand line"],
  ["--seed", "-1"],
  ["--no-web"],
  ["--web"],
];
for (const argv of good) {
  it(`takes ${JSON.stringify(argv)}`, () => checkArguments(command, argv));
}

it("takes as many words as the command has places", () => {
  const placed: CommandDef = {
    args: {
      tier: { type: "positional", description: "Where to", required: true },
      folder: { type: "positional", required: false },
      for: { type: "string" },
    },
  };
  for (const argv of [["a"], ["a", "b"], ["--for", "1h", "a"], ["a", "--for=1h", "b"]]) {
    checkArguments(placed, argv);
  }
  assert.throws(() => checkArguments(placed, []), /TIER is missing/);
  assert.throws(() => checkArguments(placed, ["--for", "1h"]), /TIER is missing/);
  assert.throws(() => checkArguments(placed, ["a", "b", "c"]), /"c" is not an option/);
  assert.throws(() => checkArguments(placed, ["a", "-b"]), /"-b" is not an option/);
});

const bad: readonly (readonly [argv: readonly string[], message: RegExp, hint: RegExp])[] = [
  [["--no-json"], /"--no-json" is not an option/, /--no-web/],
  [["--no-web=1"], /takes no value/, /Write --no-web alone/],
  [["--sped", "60"], /"--sped" is not an option/, /--config, --seed, --json/],
  [["--Config", "x"], /"--Config"/, /--config/],
  [["--sped=60"], /"--sped=60"/, /--config/],
  [["-c", "x"], /"-c"/, /--config/],
  [["folder"], /"folder"/, /--config/],
  [["--"], /"--"/, /--config/],
  [["---json"], /"---json"/, /--config/],
  [["--no-json"], /"--no-json"/, /--json/],
  [[""], /""/, /--config/],
  [["--json", "true"], /"true"/, /--config/],
  [["--json=true"], /--json takes no value/, /Write --json alone/],
  [["--config"], /--config needs a value/, /Folder or file/],
  [["--config="], /--config needs a value/, /Folder or file/],
  [["--config", ""], /--config needs a value/, /Folder or file/],
  [["--config", "--json"], /--config needs a value/, /Folder or file/],
  [["--seed", "1", "--seed", "1"], /--seed is given twice/, /once/],
  [["--seed=1", "--json", "--seed", "2"], /--seed is given twice/, /once/],
  [["--constructor", "x"], /"--constructor"/, /--config/],
  [["--__proto__=x"], /"--__proto__=x"/, /--config/],
  [["--toString", "x"], /"--toString"/, /--config/],
];
for (const [argv, message, hint] of bad) {
  it(`refuses ${JSON.stringify(argv)}`, () => {
    assert.throws(
      () => checkArguments(command, argv),
      (error) => {
        assert.ok(error instanceof UserError);
        assert.equal(error.code, "OPTION_INVALID");
        assert.match(error.message, message);
        assert.match(error.hint, hint);
        return true;
      },
    );
  });
}

it("what is taken means to the parser what it says", async () => {
  const values = fc.string({ minLength: 1 }).filter((text) => !text.startsWith("-"));
  await fc.assert(
    fc.asyncProperty(values, fc.boolean(), fc.boolean(), async (value, inline, json) => {
      const argv = inline ? [`--config=${value}`] : ["--config", value];
      if (json) argv.push("--json");
      checkArguments(command, argv);
      let given: Record<string, unknown> = {};
      const run = ({ args }: { readonly args: Record<string, unknown> }): void => {
        given = args;
      };
      await runCommand({ ...command, run }, { rawArgs: argv });
      assert.equal(given.config, value);
      assert.equal(given.json === true, json);
    }),
  );
});

describe("a number option", () => {
  const read = (text: string): number => numberOption("speed", text, 1, 600);

  it("takes what people write as a number", () => {
    for (const [text, value] of [
      ["60", 60],
      [" 60 ", 60],
      ["+1.5", 1.5],
      ["1.", 1],
      ["6e1", 60],
      ["600", 600],
    ] as const) {
      assert.equal(read(text), value);
    }
    assert.equal(numberOption("share", ".5", 0, 1), 0.5);
  });

  it("refuses all else, with the range and a hint", () => {
    const wrong = ["", " ", "x", "60x", "0x10", "1_000", "1,000", "NaN", "Infinity", "1e999"];
    for (const text of [...wrong, "-1", "0", "0.99", "600.01", "--1", "1e", "١"]) {
      assert.throws(
        () => read(text),
        (error) => {
          assert.ok(error instanceof UserError && error.code === "OPTION_INVALID", text);
          assert.match(error.message, /--speed must be a number from 1 to 600/);
          assert.ok(error.message.includes(`"${text}"`));
          assert.match(error.hint, /--speed/);
          return true;
        },
      );
    }
  });

  it("can ask for whole numbers", () => {
    assert.equal(numberOption("seed", "0", 0, 9, "whole number"), 0);
    assert.throws(() => numberOption("seed", "1.5", 0, 9, "whole number"), /whole number from 0/);
  });

  it("returns every number of its range as it was printed", () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 600, noNaN: true }), (value) => {
        assert.equal(read(String(value)), value);
      }),
    );
  });
});

describe("an option that may be repeated", () => {
  const many: CommandDef = {
    args: { policy: { type: "string", ...repeatable }, json: { type: "boolean" } },
  };
  const forms: readonly (readonly string[])[] = [
    ["--policy", "a", "--policy", "b"],
    ["--policy", "a", "b", "--json"],
    ["--json", "--policy=a,b"],
    ["--policy=a", "b", "--json", "--policy", "a"],
    ["--policy", " a , b ,"],
  ];
  for (const argv of forms) {
    it(`${JSON.stringify(argv)} are two values`, () => {
      checkArguments(many, argv);
      assert.deepEqual(valuesOf("policy", argv), ["a", "b"]);
    });
  }

  it("takes no words that are not its own", () => {
    assert.throws(() => checkArguments(many, ["--json", "a"]), /"a" is not an option/);
    assert.throws(() => checkArguments(many, ["--policy", "--json"]), /needs a value/);
    assert.deepEqual(valuesOf("other", ["--policy", "a"]), []);
  });
});

describe("spans", () => {
  it("are read in seconds, minutes, hours and days", () => {
    const read = ["90s", "30m", "1.5h", " 7d "].map((text) => durationOption("for", text));
    assert.deepEqual(read, [90_000, 1_800_000, 5_400_000, 604_800_000]);
  });

  it("are refused without a unit, at zero, and beyond ten years", () => {
    for (const text of ["", "30", "m", "0m", "-1m", "1w", "1e3s", "4000d"]) {
      assert.throws(() => durationOption("for", text), { code: "OPTION_INVALID" }, text);
    }
  });
});

it("a choice is one of its values, or not given", () => {
  assert.equal(choiceOption("tier", undefined, ["a", "b"]), null);
  assert.equal(choiceOption("tier", "b", ["a", "b"]), "b");
  assert.throws(() => choiceOption("tier", "c", ["a", "b"]), { code: "OPTION_INVALID" });
});
