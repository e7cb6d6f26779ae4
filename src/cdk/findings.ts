/**
 * Findings of cdk-nag's AwsSolutions rules that are meant to be so, each with its reason. They are
 * acknowledged where they arise, so that a user's own check of an app reports none of them.
 */
import assert from "node:assert/strict";
import { Stack, Validations } from "aws-cdk-lib/core";
import type { IConstruct } from "constructs";
import type { Statement } from "./plan.ts";

/** A rule and why it does not apply. */
export interface Finding {
  readonly id: string;
  readonly reason: string;
}

/** Acknowledges findings for a construct and everything in it. */
export function allowFindings(scope: IConstruct, findings: readonly Finding[]): void {
  Validations.of(scope).acknowledge(...findings);
}

/**
 * Acknowledges each wildcard of a role with the reason of its statement. A wildcard without one is
 * a bug, so that none comes in unnoticed.
 */
export function allowWildcards(role: IConstruct, statements: readonly Statement[]): void {
  for (const { Action, Resource, why } of statements) {
    const ids = [
      ...[Action].flat().flatMap((action) => wildcard("Action", action)),
      ...[Resource].flat().flatMap((resource) => wildcard("Resource", plain(role, resource))),
    ];
    if (ids.length === 0) continue;
    assert(why !== undefined, `a wildcard of ${role.node.path} has no reason: ${ids.join(", ")}`);
    allowFindings(
      role,
      ids.map((id) => ({ id, reason: why })),
    );
  }
}

function wildcard(kind: "Action" | "Resource", text: string): readonly string[] {
  return text.includes("*") ? [`AwsSolutions-IAM5[${kind}::${text}]`] : [];
}

/** Text with references in angle brackets, as cdk-nag writes it. */
function plain(scope: IConstruct, value: string): string {
  const resolved: unknown = Stack.of(scope).resolve(value);
  const parts = (resolved as { "Fn::Join"?: [string, unknown[]] })["Fn::Join"]?.[1] ?? [resolved];
  const texts = parts.map((part) => {
    if (typeof part === "string") return part;
    const { Ref, "Fn::GetAtt": attribute } = part as { Ref?: string; "Fn::GetAtt"?: string[] };
    return `<${Ref ?? attribute?.join(".")}>`;
  });
  return texts.join("");
}

/** Of the burst stack. */
export const burstFindings: readonly Finding[] = [
  {
    id: "AwsSolutions-ELB2",
    reason: "Access logs would need a bucket that outlives the tier; tasks log their requests.",
  },
  { id: "AwsSolutions-EC23", reason: "The balancer is the service's public entrance." },
  { id: "AwsSolutions-VPC7", reason: "Tasks alone run here; flow logs would be billed by the GB." },
];

/** Of the base stack. */
export const baseFindings: readonly Finding[] = [
  {
    id: "AwsSolutions-APIG4",
    reason: "The service authorises its requests itself, alike on both tiers.",
  },
  { id: "AwsSolutions-COG4", reason: "The service authorises its requests itself." },
  { id: "AwsSolutions-APIG2", reason: "The service validates its requests itself." },
  {
    id: "AwsSolutions-APIG1",
    reason: "A REST API logs only with a role for the whole account; the service logs itself.",
  },
  {
    id: "AwsSolutions-APIG6",
    reason: "A REST API logs only with a role for the whole account; the service logs itself.",
  },
  {
    id: "AwsSolutions-APIG3",
    reason: "A web ACL is billed by the month; attach one that covers the balancer as well.",
  },
  {
    id: "AwsSolutions-ECS4",
    reason: "Container Insights are billed by the metric; the alarms need none of them.",
  },
  {
    id: "AwsSolutions-ECS2",
    reason: "Variables are no secrets: those come from Secrets Manager and Systems Manager.",
  },
  { id: "AwsSolutions-VPC7", reason: "Tasks alone run here; flow logs would be billed by the GB." },
  { id: "AwsSolutions-EC23", reason: "The balancer is the service's public entrance." },
  { id: "AwsSolutions-DDB3", reason: "What is remembered can be observed anew at any time." },
];
