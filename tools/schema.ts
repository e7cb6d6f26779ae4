/**
 * Writes what is derived from the schema and the list of error codes: the types, the JSON schema
 * for editors, the table of the guide and the page of errors. `--check` only compares.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { errorCodes } from "../src/config/errors.ts";
import { jsonSchema, leaves, type SchemaNode } from "../src/config/keys.ts";
import { deployedProps } from "../src/config/props.ts";

const columnsMax = 100;
const marker = { begin: "<!-- keys: begin -->", end: "<!-- keys: end -->" };

/** Breaks a sentence into comment lines. */
function comment(sentence: string, indent: string, whole = true): string[] {
  const single = `${indent}/** ${sentence} */`;
  if (whole && single.length <= columnsMax) return [single];
  const lines = whole ? [`${indent}/**`] : [];
  let line = `${indent} *`;
  for (const word of sentence.split(" ")) {
    if (line.length + 1 + word.length > columnsMax) {
      lines.push(line);
      line = `${indent} *`;
    }
    line += ` ${word}`;
  }
  return whole ? [...lines, line, `${indent} */`] : [...lines, line];
}

/** A value's type; objects are written over several lines. */
function typeText(node: SchemaNode, indent: string, input: boolean): string {
  if (node.anyOf) return node.anyOf.map((part) => typeText(part, indent, input)).join(" | ");
  if (node.enum) return node.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (node.type === "integer") return "number";
  if (node.properties) return objectText(node, indent, input);
  if (node.type === "object") {
    return `Readonly<Record<string, ${typeText(recordNode(node), indent, input)}>>`;
  }
  if (node.type !== "array") return node.type ?? "unknown";
  const item = typeText(node.items ?? {}, indent, input);
  return item.includes("\n") ? `ReadonlyArray<${item}>` : `readonly ${item}[]`;
}

function recordNode(node: SchemaNode): SchemaNode {
  return typeof node.additionalProperties === "object" ? node.additionalProperties : {};
}

function objectText(node: SchemaNode, indent: string, input: boolean): string {
  const inner = `${indent}  `;
  const lines = Object.entries(node.properties ?? {}).flatMap(([key, child]) => {
    const required = node.required?.includes(key) === true;
    const optional = !required && (input || child.default === undefined);
    const type = typeText(child, inner, input);
    const shown = child.properties || child.default === undefined ? "" : defaultText(child);
    return [
      ...comment(`${child.description ?? ""}${shown}`.replaceAll("*/", "* /"), inner),
      `${inner}readonly ${key}${optional ? "?" : ""}: ${type};`,
    ];
  });
  return ["{", ...lines, `${indent}}`].join("\n");
}

function defaultText(node: SchemaNode): string {
  return ` Default: ${JSON.stringify(node.default)}.`;
}

const written = "written by `node tools/schema.ts` from `schema.ts`: change that.";

/** The source of `src/config/types.ts`. */
function typesSource(schema: SchemaNode): string {
  return [
    "/**",
    ` * The configuration's types, ${written}`,
    " *",
    " * They are spelled out, so that editors show a sentence for each key and no import of zod is",
    " * needed to use them.",
    " */",
    "",
    'export type { ConfigInput } from "./input.ts";',
    "",
    "/** A complete configuration: every key has a value. */",
    `export interface Config ${objectText(schema, "", false)}`,
    "",
  ].join("\n");
}

/** The source of `src/config/input.ts`. */
function inputSource(schema: SchemaNode): string {
  return [
    "/**",
    " * What may be left out of a configuration,",
    ` * ${written}`,
    " */",
    "",
    "/** What a user writes: everything but the command has a default. */",
    `export interface ConfigInput ${objectText(schema, "", true)}`,
    "",
  ].join("\n");
}

/** The source of `src/cdk/props.ts`: the same keys without groups, with the tags of CDK's docs. */
function propsSource(): string {
  const lines = deployedProps().flatMap(({ name, node }) => {
    const fallback =
      name === "name" ? "- the construct's id in lower case" : JSON.stringify(node.default);
    return [
      "  /**",
      ...comment(node.description ?? "", "  ", false),
      `   * @default ${fallback}`,
      "   */",
      `  readonly ${name}?: ${typeText(node, "  ", true)};`,
    ];
  });
  return [
    "/**",
    " * The keys of the configuration as properties,",
    ` * ${written}`,
    " */",
    "",
    "/** How a service is deployed: each key of lambdaflex.json without its dots. */",
    "export interface DeploymentProps {",
    ...lines,
    "}",
    "",
  ].join("\n");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

/** The table of all keys for the guide. */
function keyTable(schema: SchemaNode): string {
  const rows = leaves(schema).map(({ path, node, required }) => {
    const fallback = node.default === undefined ? "" : `\`${JSON.stringify(node.default)}\``;
    const shown = required ? "required" : fallback;
    return `| \`${path}\` | ${cell(shown)} | ${cell(node.description ?? "")} |`;
  });
  return ["| key | default | meaning |", "|---|---|---|", ...rows].join("\n");
}

/** The page of error codes. */
function errorsPage(): string {
  const rows = Object.entries(errorCodes).map(([code, text]) => `| \`${code}\` | ${cell(text)} |`);
  return [
    "# Error codes",
    "",
    "A mistake in a configuration, an option or a service ends with one of these codes, a message",
    "with the facts, a hint and exit code 2. Nothing is left running.",
    "",
    "| code | meaning |",
    "|---|---|",
    ...rows,
    "",
  ].join("\n");
}

/** The guide with the table between its markers replaced. */
function withTable(guide: string, table: string): string {
  const [before, rest] = guide.split(marker.begin);
  const after = rest?.split(marker.end)[1];
  if (after === undefined) throw new Error("docs/configuration.md has lost its markers");
  return `${before}${marker.begin}\n${table}\n${marker.end}${after}`;
}

function at(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(at(path), "utf8");
  } catch {
    return "";
  }
}

function main(check: boolean): number {
  const schema = jsonSchema();
  const guide = readOrEmpty("docs/configuration.md");
  const files: Readonly<Record<string, string>> = {
    "src/config/lambdaflex.schema.json": `${JSON.stringify(schema, null, 2)}\n`,
    "src/config/types.ts": typesSource(schema),
    "src/config/input.ts": inputSource(schema),
    "src/cdk/props.ts": propsSource(),
    "docs/configuration.md": withTable(guide, keyTable(schema)),
    "docs/errors.md": errorsPage(),
  };
  const stale = Object.entries(files).filter(([path, text]) => readOrEmpty(path) !== text);
  for (const [path, text] of stale) {
    console.log(check ? `${path} is out of date: run node tools/schema.ts` : `wrote ${path}`);
    if (!check) writeFileSync(at(path), text);
  }
  return check && stale.length > 0 ? 1 : 0;
}

process.exitCode = main(process.argv.includes("--check"));
