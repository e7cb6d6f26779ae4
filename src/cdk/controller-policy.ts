/** What the controller may do: the list of its calls, each narrowed to what is its own. */
import { Aws } from "aws-cdk-lib/core";
import {
  type CallCondition,
  type CallNeed,
  type CallResource,
  type ControllerCall,
  controllerCalls,
} from "../aws/calls.ts";
import { appTag } from "../core/deployment.ts";
import { arn, type Plan, type Statement } from "./plan.ts";
import { anyKey, decryptsOnly, keyUnknown, type SecretKind } from "./secrets.ts";

/** ARNs that only the stack knows. */
export interface PolicyPlaces {
  readonly table: string;
  readonly topic: string;
  readonly controllerLogs: string;
  readonly burstRole: string;
  /** The burst template's URL and the ARN of its object; `null` without a domain. */
  readonly template: { readonly url: string; readonly objectArn: string } | null;
}

type Condition = NonNullable<Statement["Condition"]>;

/** The controller's statements: one for each resource and condition. */
export function controllerStatements(plan: Plan, places: PolicyPlaces): readonly Statement[] {
  const { domain, notifications } = plan.config;
  const needs: readonly CallNeed[] = [
    "always",
    ...(domain === null ? [] : ["domain" as const]),
    ...(notifications.webhook === null ? [] : ["webhook" as const]),
  ];
  const groups = new Map<string, ControllerCall[]>();
  for (const call of controllerCalls) {
    if (!needs.includes(call.need)) continue;
    const key = `${call.on} ${call.condition ?? ""}`;
    groups.set(key, [...(groups.get(key) ?? []), call]);
  }
  return [...groups.values()].flatMap((calls) => statementOf(plan, places, calls));
}

function statementOf(
  plan: Plan,
  places: PolicyPlaces,
  calls: readonly ControllerCall[],
): readonly Statement[] {
  const [first] = calls;
  if (first === undefined) return [];
  const resources = resourcesOf(first.on, plan, places);
  if (resources.length === 0) return [];
  const condition: Condition = {
    ...conditionOf(first.condition, plan, places),
    // This call knows no resource; its cluster is a condition.
    ...(first.on === "cluster" && {
      ArnEquals: { "ecs:cluster": arn("ecs", `cluster/${plan.names.cluster}`) },
    }),
  };
  return [
    {
      Sid: sidOf(first),
      Effect: "Allow",
      Action: calls.map(({ action }) => action),
      Resource: resources,
      ...(Object.keys(condition).length > 0 && { Condition: condition }),
      why: wildcardReasons[first.on] ?? calls.map(({ reason }) => reason).join(" "),
    },
  ];
}

/** Why some resources can only be named with a wildcard. */
const wildcardReasons: Readonly<Partial<Record<CallResource, string>>> = {
  "burst-stack": "The id of a stack is made when the stack is.",
  "webhook-key": keyUnknown,
  "webhook-parameter": "The name under which Parameter Store reads a secret holds the secret's.",
  change: "The id of a change is made when the change is.",
  cluster: "The call knows no resource; the condition names the cluster.",
  service: "The name of the service is made when it is, in a cluster of its own.",
  balancer: "The end of a balancer's name is made when the balancer is.",
};

/** `burst-stack` under `role-and-template` → BurstStackRoleAndTemplate. */
function sidOf({ on, condition }: ControllerCall): string {
  const words = `${on}-${condition ?? ""}`.split("-");
  return words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join("");
}

function resourcesOf(on: CallResource, plan: Plan, places: PolicyPlaces): readonly string[] {
  const { names, config } = plan;
  const app = arn("lambda", `function:${names.appFunction}`);
  const everywhere = `arn:${Aws.PARTITION}`;
  const found: Readonly<Record<CallResource, readonly string[]>> = {
    "burst-stack": [burstStackArn(plan)],
    "burst-role": [places.burstRole],
    "burst-template": places.template === null ? [] : [places.template.objectArn],
    table: [places.table],
    zone: [`${everywhere}:route53:::hostedzone/${plan.hostedZoneId}`],
    change: [`${everywhere}:route53:::change/*`],
    "app-function": [app, `${app}:${names.alias}`],
    cluster: ["*"],
    service: [arn("ecs", `service/${names.cluster}/*`)],
    balancer: [balancerArn(plan)],
    topic: [places.topic],
    ...webhookResources(config.notifications.webhook ?? ""),
    "controller-logs": [places.controllerLogs],
    any: ["*"],
  };
  return found[on];
}

/** Parameter Store also reads secrets, under a name of their own. */
function webhookResources(
  webhook: string,
): Readonly<Record<"webhook-parameter" | "webhook-secret" | "webhook-key", readonly string[]>> {
  const key = { "webhook-key": [anyKey] };
  if (holderOf(webhook) === "ssm") {
    return { ...key, "webhook-parameter": [webhook], "webhook-secret": [] };
  }
  const reference = arn("ssm", "parameter/aws/reference/secretsmanager/*");
  return { ...key, "webhook-parameter": [reference], "webhook-secret": [webhook] };
}

function holderOf(webhook: string): SecretKind {
  return webhook.includes(":secretsmanager:") ? "secretsmanager" : "ssm";
}

function conditionOf(
  condition: CallCondition | undefined,
  plan: Plan,
  { burstRole, template }: PolicyPlaces,
): Condition {
  const role = { ArnEquals: { "cloudformation:RoleArn": burstRole } };
  switch (condition) {
    case undefined:
      return {};
    case "role":
      return role;
    case "role-and-template":
      return { ...role, StringEquals: { "cloudformation:TemplateUrl": template?.url ?? "" } };
    case "passed-to-cloudformation":
      return { StringEquals: { "iam:PassedToService": "cloudformation.amazonaws.com" } };
    case "own-records":
      return ownRecords(plan);
    case "decrypts-webhook": {
      const webhook = plan.config.notifications.webhook ?? "";
      return { StringEquals: decryptsOnly(holderOf(webhook), [webhook]) };
    }
    case "own-tag":
      return { StringEquals: { [`aws:ResourceTag/${appTag}`]: plan.config.name } };
  }
}

/** The burst stack whatever its id. */
export function burstStackArn({ names }: Plan): string {
  return arn("cloudformation", `stack/${names.burstStack}/*`);
}

/** Balancers of this application: the suffix has eight characters, so no other name fits. */
export function balancerArn({ config }: Plan): string {
  return arn("elasticloadbalancing", `loadbalancer/app/${config.name}-????????/*`);
}

/** Only the A records of the domain may be changed. */
export function ownRecords({ config }: Plan): Condition {
  return {
    "ForAllValues:StringEquals": {
      "route53:ChangeResourceRecordSetsNormalizedRecordNames": [config.domain ?? ""],
      "route53:ChangeResourceRecordSetsRecordTypes": ["A"],
    },
  };
}
