/**
 * Synthesises every kind of deployment and lets cfn-lint judge the templates: no error may remain.
 * CFN_LINT names the program; without one it is looked for on the PATH.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fakeBundle, templatesOf, variants } from "../test/cdk/variants.ts";

const program = process.env.CFN_LINT ?? "cfn-lint";
const regions = ["us-east-1", "eu-west-1"];

interface Written {
  readonly name: string;
  readonly files: readonly string[];
  readonly bytes: readonly number[];
}

interface Finding {
  readonly Filename: string;
  readonly Level: string;
  readonly Message: string;
  readonly Rule: { readonly Id: string };
  readonly Location: { readonly Path: readonly (string | number)[] };
}

function write(folder: string): readonly Written[] {
  const controllerFolder = fakeBundle(folder);
  return variants.map(({ name, input, image }, at) => {
    const made = templatesOf(input, { controllerFolder, ...(image && { image }) });
    const texts = [made.baseText, made.burstText].filter((text) => text !== "");
    mkdirSync(join(folder, String(at)));
    const files = texts.map((text, which) => {
      const file = join(folder, String(at), which === 0 ? "base.json" : "burst.json");
      writeFileSync(file, text);
      return file;
    });
    return { name, files, bytes: texts.map((text) => Buffer.byteLength(text)) };
  });
}

function lint(files: readonly string[]): readonly Finding[] {
  const args = ["--format", "json", "--regions", ...regions, "--", ...files];
  const { stdout, stderr, error, status } = spawnSync(program, args, {
    encoding: "utf8",
    maxBuffer: 100_000_000,
  });
  if (error) throw error;
  if (stdout === "") throw new Error(`cfn-lint ended with ${status}: ${stderr}`);
  return JSON.parse(stdout) as Finding[];
}

function table(written: readonly Written[], findings: readonly Finding[]): string {
  const width = Math.max(...written.map(({ name }) => name.length));
  const rows = written.map(({ name, files, bytes }) => {
    const own = findings.filter(({ Filename }) => files.includes(Filename));
    const errors = own.filter(({ Level }) => Level === "Error").length;
    const sizes = bytes.map((size) => String(size).padStart(7)).join(" ");
    const others = own.length - errors;
    return `${name.padEnd(width)} ${sizes.padEnd(15)} ${errors} errors, ${others} others`;
  });
  return [`${"deployment".padEnd(width)}    base   burst bytes`, ...rows].join("\n");
}

function main(): number {
  if (spawnSync(program, ["--version"]).error) {
    const needed = process.env.CFN_LINT !== undefined;
    console.log(`skipped: there is no ${program}; pip install cfn-lint==1.58.0 brings it`);
    return needed ? 1 : 0;
  }
  const folder = mkdtempSync(join(tmpdir(), "lambdaflex-lint-"));
  try {
    const written = write(folder);
    const findings = lint(written.flatMap(({ files }) => files));
    for (const { Filename, Rule, Message, Location } of findings) {
      console.log(`${Rule.Id} ${basename(Filename)} ${Location.Path.join("/")}: ${Message}`);
    }
    console.log(table(written, findings));
    return findings.some(({ Level }) => Level === "Error") ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

process.exitCode = main();
