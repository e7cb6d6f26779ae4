/** WCAG AA, computed from the style sheet itself: text 4.5 to 1, what is drawn 3 to 1. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const css = readFileSync(new URL("./page/style.css", import.meta.url), "utf8");
const [light = "", dark = ""] = css.split("@media (prefers-color-scheme: dark)");

type Palette = Readonly<Record<string, string>>;

function paletteOf(text: string): Palette {
  return Object.fromEntries(
    [...text.matchAll(/--([a-z]+): (#[0-9a-f]{6});/g)].map(([, name, value]) => [name, value]),
  );
}

function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

const texts = ["ink", "faint", "dark", "good", "bad", "warn", "lambda", "fargate"];
const drawn = [
  "lambda",
  "fargate",
  "dark",
  "provisioning",
  "shifting",
  "draining",
  "deprovisioning",
];
const phases = ["provisioning", "shifting", "draining", "deprovisioning"];

for (const [name, palette] of [
  ["light", paletteOf(light)],
  ["dark", { ...paletteOf(light), ...paletteOf(dark) }],
] as const) {
  const of = (colour: string): string => palette[colour] ?? assert.fail(`no --${colour}`);
  const atLeast = (a: string, b: string, ratio: number): void => {
    const found = contrast(of(a), of(b));
    assert.ok(found >= ratio, `${a} on ${b}: ${found.toFixed(2)} to 1, not ${ratio}`);
  };
  test(`${name}: text stands out from what it stands on`, () => {
    for (const text of texts) for (const on of ["panel", "ground"]) atLeast(text, on, 4.5);
    for (const phase of phases) atLeast("panel", phase, 4.5);
    atLeast("panel", "ink", 4.5);
  });
  test(`${name}: what is drawn can be seen`, () => {
    for (const colour of drawn) atLeast(colour, "panel", 3);
  });
}

test("the arithmetic is WCAG's", () => {
  assert.equal(contrast("#ffffff", "#000000"), 21);
  assert.equal(contrast("#767676", "#ffffff").toFixed(2), "4.54");
});
