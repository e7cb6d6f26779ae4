/** Findings as SARIF 2.1.0, which code scanning of forges reads. */
import type { Finding, Level } from "./finding.ts";
import { ruleIds, ruleOf } from "./rules.ts";

const schema = "https://json.schemastore.org/sarif-2.1.0.json";

/** What is known about the run. */
export interface SarifRun {
  readonly version: string;
  /** The file that stands for findings that were made by a request. */
  readonly configFile: string;
}

/** The log, as a value to be written as JSON. */
export function sarifLog(findings: readonly Finding[], run: SarifRun): unknown {
  const rules = ruleIds.map((id) => {
    const { title, breaks, fix, level, tier } = ruleOf(id);
    return {
      id,
      name: id,
      shortDescription: { text: title },
      fullDescription: { text: `${title}. ${breaks}` },
      help: { text: fix },
      defaultConfiguration: { level },
      properties: { tier },
    };
  });
  return {
    $schema: schema,
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "lambdaflex",
            semanticVersion: run.version,
            rules,
          },
        },
        originalUriBaseIds: { SRCROOT: { description: { text: "The configuration's folder" } } },
        columnKind: "utf16CodeUnits",
        results: findings.map((finding) => resultOf(finding, run)),
      },
    ],
  };
}

const levels: Readonly<Record<Level, string>> = {
  error: "error",
  warning: "warning",
  note: "note",
};

function resultOf(finding: Finding, { configFile }: SarifRun): unknown {
  const { rule, level, tier, message, breaks, fix, place } = finding;
  const file = place.type === "file" ? place.file : configFile;
  const line = place.type === "file" ? place.line : 1;
  const where = place.type === "file" ? "" : `${place.request}: `;
  return {
    ruleId: rule,
    ruleIndex: ruleIds.indexOf(rule),
    level: levels[level],
    message: { text: `${where}${message}. ${breaks} ${fix}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: encodeURI(file), uriBaseId: "SRCROOT" },
          region: { startLine: line },
        },
      },
    ],
    properties: { tier },
  };
}
