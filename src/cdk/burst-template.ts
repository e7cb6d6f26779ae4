/**
 * The burst tier's template: created by the controller when demand rises, deleted when it subsides.
 *
 * It holds no identity and no asset, and everything that the configuration decides is written into
 * it. Parameters are only what the base stack knows and what differs between two bursts.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  App,
  CfnOutput,
  CfnParameter,
  DefaultStackSynthesizer,
  Fn,
  Stack,
  Tags,
} from "aws-cdk-lib/core";
import type { Construct } from "constructs";
import { appTag, type BurstOutputs, stackTag } from "../core/deployment.ts";
import { addAlarms } from "./alarms.ts";
import { addBalancer } from "./balancer.ts";
import { addBurstService } from "./burst-service.ts";
import { allowFindings, burstFindings } from "./findings.ts";
import type { FrontDoor } from "./front-door.ts";
import { addNat, addNetwork, addSecurityGroups, type Network } from "./network.ts";
import { arn, type Plan, quietApp } from "./plan.ts";

/** What waits in the base stack with warm standby. */
export interface WarmNetwork {
  /** `null` if the user brings one. */
  readonly network: Network | null;
  readonly balancerGroup: string;
  readonly taskGroup: string;
}

/** A parameter of the burst stack that the base stack gives the value of. */
export type BurstInputName =
  | "ApiId"
  | "CertificateArn"
  | "VpcId"
  | "PublicSubnetIds"
  | "PrivateSubnetIds"
  | "PrivateRouteTableIds"
  | "BalancerGroupId"
  | "TaskGroupId";

/** Values that do not change between bursts, for the controller to hand over. */
export type BurstInputs = Readonly<Partial<Record<BurstInputName, string>>>;

/** What the base stack hands to the burst stack. A network of the user's is known already. */
export function burstInputs(plan: Plan, door: FrontDoor, warm: WarmNetwork | null): BurstInputs {
  const { config } = plan;
  const list = (ids: readonly string[]): string => ids.join(",");
  const own = warm?.network ?? null;
  return {
    ...(config.frontDoor === "http" && { ApiId: door.api.id }),
    CertificateArn: door.domain?.certificateArn ?? "",
    ...(warm && { BalancerGroupId: warm.balancerGroup, TaskGroupId: warm.taskGroup }),
    ...(own && { VpcId: own.vpcId, PublicSubnetIds: list(own.publicSubnetIds) }),
    ...(own && own.privateRouteTableIds.length > 0
      ? {
          PrivateSubnetIds: list(own.taskSubnetIds),
          PrivateRouteTableIds: list(own.privateRouteTableIds),
        }
      : {}),
  };
}

/** The template as text. `inputs` says which parameters it has. */
export function burstTemplate(plan: Plan, inputs: readonly BurstInputName[]): string {
  const outdir = mkdtempSync(join(tmpdir(), "lambdaflex-burst-"));
  try {
    const app = new App({ ...quietApp, outdir });
    const stack = addBurstStack(app, plan, inputs);
    const { template } = app.synth().getStackByName(stack.stackName);
    return JSON.stringify(template);
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

/** The burst stack in an app of its own. */
export function addBurstStack(
  app: Construct,
  plan: Plan,
  inputs: readonly BurstInputName[],
): Stack {
  const { config, names } = plan;
  const stack = new Stack(app, names.burstStack, {
    description: `LambdaFlex: Fargate tier of ${config.name}, while demand is high.`,
    synthesizer: new DefaultStackSynthesizer({ generateBootstrapVersionRule: false }),
  });
  Tags.of(stack).add(appTag, config.name);
  Tags.of(stack).add(stackTag, "burst");
  const given = new Map(inputs.map((name) => [name, addInput(stack, name)]));
  const text = (name: BurstInputName): string => given.get(name)?.valueAsString ?? "";
  const list = (name: BurstInputName): string[] => given.get(name)?.valueAsList ?? [];
  const network = networkOf(stack, plan, { text, list });
  const groups = given.has("TaskGroupId")
    ? { balancer: text("BalancerGroupId"), tasks: text("TaskGroupId") }
    : addSecurityGroups(stack, network.vpcId, config.port);
  const wayOut =
    network.privateRouteTableIds.length > 0
      ? addNat(stack, network, config.network.natGateways)
      : [];
  const entrance = addBalancer(stack, plan, network, {
    securityGroup: groups.balancer,
    certificateArn: text("CertificateArn"),
  });
  const turn = turnInputs(stack, config.fargate.minTasks);
  const service = addBurstService(stack, plan, entrance, {
    ...turn,
    network,
    securityGroups: [groups.tasks, ...config.network.securityGroupIds],
    wayOut: [...network.ready, ...wayOut],
  });
  const { balancer, targetGroup } = entrance;
  const api =
    config.frontDoor === "http"
      ? { metric: "Count", name: "ApiId", value: text("ApiId") }
      : { metric: "Count", name: "ApiName", value: names.api };
  const places = {
    api,
    functionName: names.appFunction,
    balancer: balancer.attrLoadBalancerFullName,
  };
  const wakes = arn("lambda", `function:${names.controllerFunction}`);
  for (const alarm of addAlarms(stack, plan, "burst", places, wakes)) {
    // A resource must differ, or CloudFormation sees no update and keeps the former blueprint.
    alarm.alarmDescription = Fn.join("", [`${alarm.alarmDescription} [`, turn.blueprint, "]"]);
  }
  addOutputs(stack, {
    AlbDnsName: balancer.attrDnsName,
    AlbZoneId: balancer.attrCanonicalHostedZoneId,
    AlbFullName: balancer.attrLoadBalancerFullName,
    AlbArn: balancer.ref,
    TargetGroupArn: targetGroup.ref,
    ServiceName: service.attrName,
  });
  allowFindings(stack, burstFindings);
  return stack;
}

const lists: readonly BurstInputName[] = [
  "PublicSubnetIds",
  "PrivateSubnetIds",
  "PrivateRouteTableIds",
];

function addInput(stack: Stack, name: BurstInputName): CfnParameter {
  const type = lists.includes(name) ? "CommaDelimitedList" : "String";
  return new CfnParameter(stack, name, { type });
}

/** What differs from burst to burst. */
function turnInputs(
  stack: Stack,
  tasksMin: number,
): { taskDefinition: string; operation: string; initialTasks: string; blueprint: string } {
  const taskDefinition = new CfnParameter(stack, "TaskDefinitionArn", {
    type: "String",
    description: "The revision with the digest that Lambda runs.",
  });
  const operation = new CfnParameter(stack, "Operation", {
    type: "String",
    default: "create",
    allowedValues: ["create", "update"],
    description: "An update leaves the number of tasks to scaling.",
  });
  const initialTasks = new CfnParameter(stack, "InitialTasks", {
    type: "Number",
    default: tasksMin,
    minValue: 1,
  });
  const blueprint = new CfnParameter(stack, "Blueprint", {
    type: "String",
    default: "",
    description: "What this stack was made from, by which its maker knows when it is outdated.",
  });
  return {
    taskDefinition: taskDefinition.valueAsString,
    operation: operation.valueAsString,
    initialTasks: initialTasks.valueAsString,
    blueprint: blueprint.valueAsString,
  };
}

interface Inputs {
  readonly text: (name: BurstInputName) => string;
  readonly list: (name: BurstInputName) => string[];
}

/** How many subnets the base stack makes of a kind: a list parameter has no length of its own. */
const subnetsOfBase = 2;

function networkOf(stack: Stack, { config }: Plan, { text, list }: Inputs): Network {
  const { vpcId, subnetIds, balancerSubnetIds, tasks } = config.network;
  if (config.standby === "cold") return addNetwork(stack, tasks);
  if (vpcId !== null) {
    return {
      vpcId,
      publicSubnetIds: balancerSubnetIds,
      taskSubnetIds: subnetIds,
      privateRouteTableIds: [],
      ready: [],
    };
  }
  const each = (name: BurstInputName): readonly string[] =>
    Array.from({ length: subnetsOfBase }, (_, at) => Fn.select(at, list(name)));
  const isPrivate = tasks === "private";
  const publicSubnetIds = each("PublicSubnetIds");
  return {
    vpcId: text("VpcId"),
    publicSubnetIds,
    taskSubnetIds: isPrivate ? each("PrivateSubnetIds") : publicSubnetIds,
    privateRouteTableIds: isPrivate ? each("PrivateRouteTableIds") : [],
    ready: [],
  };
}

function addOutputs(stack: Stack, outputs: BurstOutputs): void {
  for (const [name, value] of Object.entries(outputs)) new CfnOutput(stack, name, { value });
}
