/**
 * Findings of cdk-nag's AwsSolutions rules that are meant to be so, each with its reason. They are
 * acknowledged where they arise, so that a user's own check of an app reports none of them.
 */
import { Validations } from "aws-cdk-lib/core";
import type { IConstruct } from "constructs";

/** A rule and why it does not apply. */
export interface Finding {
  readonly id: string;
  readonly reason: string;
}

/** Acknowledges findings for a construct and everything in it. */
export function allowFindings(scope: IConstruct, findings: readonly Finding[]): void {
  Validations.of(scope).acknowledge(...findings);
}

/** Of the burst stack. */
export const burstFindings: readonly Finding[] = [];

/** Of the base stack. */
export const baseFindings: readonly Finding[] = [];
