/** Changes of who may do what and who may connect, a line each, as the toolkit knows them. */
import { stripVTControlCharacters } from "node:util";
import type { Toolkit } from "@aws-cdk/toolkit-lib";

/** How one template differs from what is deployed. */
export type TemplateDifference = Awaited<ReturnType<Toolkit["diff"]>>[string];

/**
 * The lines, in the order of the resources. What the toolkit sends as the changes of permissions
 * is the whole difference once more, so they are taken from the comparison itself.
 */
export function securityChanges({
  iamChanges,
  securityGroupChanges,
}: TemplateDifference): readonly string[] {
  const tables = [
    iamChanges.summarizeStatements(),
    iamChanges.summarizeManagedPolicies(),
    securityGroupChanges.summarize(),
  ];
  return tables.flatMap(([, ...rows]) => rows.map(lineOf));
}

function lineOf(cells: readonly string[]): string {
  const words = cells.map((cell) => stripVTControlCharacters(cell).replace(/\s+/g, " ").trim());
  return words.filter((word) => word !== "").join("  ");
}
