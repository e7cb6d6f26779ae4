/** The construct: one service on two tiers, and the controller that moves it between them. */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { IGrantable, IPrincipal } from "aws-cdk-lib/aws-iam";
import { CfnLogGroup } from "aws-cdk-lib/aws-logs";
import { Asset } from "aws-cdk-lib/aws-s3-assets";
import { Aws, CfnDeletionPolicy, IgnoreMode, Tags } from "aws-cdk-lib/core";
import { Construct } from "constructs";
import { type Config, UserError } from "../config/index.ts";
import { appTag, type BaseOutputs, deploymentNames, stackTag } from "../core/deployment.ts";
import { addAlarms } from "./alarms.ts";
import { bundleFiles, controllerBundle } from "./bundle.ts";
import { addBurstRole } from "./burst-role.ts";
import {
  type BurstInputName,
  burstInputs,
  burstTemplate,
  type WarmNetwork,
} from "./burst-template.ts";
import { addController, addMemory, addWaking } from "./controller.ts";
import type { PolicyPlaces } from "./controller-policy.ts";
import { addDashboard } from "./dashboard.ts";
import { addFargateDefinition } from "./fargate-definition.ts";
import { allowFindings, baseFindings } from "./findings.ts";
import { addFrontDoor } from "./front-door.ts";
import { addControllerAlarm, addGuard } from "./guard-resource.ts";
import { addLambdaTier } from "./lambda-tier.ts";
import { addNetwork, addSecurityGroups } from "./network.ts";
import { checkImage, checkRegion, type Plan } from "./plan.ts";
import type { DeploymentProps } from "./props.ts";
import { addServiceRoles } from "./roles.ts";
import { ServicePrincipal } from "./service-principal.ts";
import { configFromProps } from "./tokens.ts";

/** What a service is made from. */
export interface FlexServiceProps extends DeploymentProps {
  /**
   * The image by its digest, `REPOSITORY@sha256:…`, in a repository of ECR in the same region.
   */
  readonly image: string;

  /**
   * Folder of the controller's code.
   *
   * @default - the one that comes with the package
   */
  readonly controllerFolder?: string;
}

/**
 * A service that runs on Lambda while quiet and on Fargate while busy, from one image.
 *
 * Everything that it needs while quiet is in this stack and costs about nothing at rest. The burst
 * tier is a stack of its own: its template is an asset of this one, and the controller creates and
 * deletes it.
 */
export class FlexService extends Construct implements IGrantable {
  /** Where the service answers. */
  readonly url: string;
  /** What `lambdaflex status` and its like look for in the outputs of the stack. */
  readonly outputs: BaseOutputs;
  /** Who the service is on both tiers: `table.grantReadData(service)`. */
  readonly grantPrincipal: IPrincipal;
  /** The template of the burst tier; `null` without a domain, since DNS moves the traffic. */
  readonly burstTemplate: string | null;

  constructor(scope: Construct, id: string, props: FlexServiceProps) {
    super(scope, id);
    const { image, controllerFolder, ...keys } = props;
    const plan = planOf(configFromProps(this, keys), image);
    const { config, names } = plan;
    checkRegion(this, plan);
    Tags.of(this).add(appTag, config.name);
    Tags.of(this).add(stackTag, "base");

    const appLogs = addLogs(this, "AppLogs", names.appLogs, config);
    const logs = addLogs(this, "ControllerLogs", names.controllerLogs, config);
    const principal = new ServicePrincipal(this, config);
    const roles = addServiceRoles(this, plan, appLogs, principal.policyArns);
    principal.roles = [roles.functionRole, roles.taskRole];
    this.grantPrincipal = principal;
    const tier = addLambdaTier(this, plan, roles, appLogs);
    const door = addFrontDoor(this, plan, tier, appLogs);
    const fargate = addFargateDefinition(this, plan, roles, appLogs);
    const warm = config.standby === "warm" ? addWarmNetwork(this, plan) : null;
    const memory = addMemory(this, plan);
    const burstRole = addBurstRole(this, plan, roles);
    const inputs = burstInputs(plan, door, warm);
    const burst = config.domain === null ? null : addBurstAsset(this, plan, inputs);
    this.burstTemplate = burst?.text ?? null;
    const code = stageBundle(this, controllerBundle(controllerFolder));
    const template = burst?.place ?? null;
    const parts = { code, logs, memory, door, fargate, burstRole, burstInputs: inputs, template };
    const controller = addController(this, plan, parts);
    const guard = addGuard(this, plan, parts);

    // Whatever could wake the controller goes before the guard begins to clear up.
    const { name, value } = door.api.dimension;
    const api = { metric: "Count", name, value };
    const places = { api, functionName: tier.app.ref, balancer: null };
    const alarms = addAlarms(this, plan, "base", places, controller.attrArn);
    const waking = [...addWaking(this, plan, controller), ...alarms];
    for (const part of [...waking, ...addControllerAlarm(this, plan, guard)]) {
      part.addResourceDependency(guard.resource);
    }
    if (config.dashboard) addDashboard(this, plan, places);
    allowFindings(this, baseFindings);

    this.url = door.url;
    this.outputs = {
      Url: door.url,
      ApiId: door.api.id,
      TableName: memory.table.ref,
      ControllerName: controller.ref,
      ClusterName: fargate.cluster.ref,
      ImageUri: image,
    };
  }
}

function planOf(config: Config, image: string): Plan {
  checkImage(image);
  const { domain, hostedZoneId } = config;
  if (domain !== null && hostedZoneId === null) {
    throw new UserError(
      "HOSTED_ZONE_MISSING",
      `the zone of ${domain} is not given`,
      "Set hostedZoneId to the id of the Route 53 zone that holds the domain.",
    );
  }
  return { config, image, names: deploymentNames(config.name), hostedZoneId };
}

function addLogs(scope: Construct, id: string, logGroupName: string, config: Config): CfnLogGroup {
  const logs = new CfnLogGroup(scope, id, {
    logGroupName,
    retentionInDays: config.logRetentionDays,
  });
  // A group that stayed would hinder the next deployment of the same name.
  logs.cfnOptions.deletionPolicy = CfnDeletionPolicy.DELETE;
  logs.cfnOptions.updateReplacePolicy = CfnDeletionPolicy.DELETE;
  return logs;
}

function addWarmNetwork(scope: Construct, { config }: Plan): WarmNetwork {
  const { vpcId, tasks } = config.network;
  const network = vpcId === null ? addNetwork(scope, tasks) : null;
  const groups = addSecurityGroups(scope, network?.vpcId ?? vpcId ?? "", config.port);
  return { network, balancerGroup: groups.balancer, taskGroup: groups.tasks };
}

/** Writes the template to a file for as long as it takes to stage it. */
function addBurstAsset(
  scope: Construct,
  plan: Plan,
  inputs: ReturnType<typeof burstInputs>,
): { readonly text: string; readonly place: NonNullable<PolicyPlaces["template"]> } {
  const text = burstTemplate(plan, Object.keys(inputs) as BurstInputName[]);
  const folder = mkdtempSync(join(tmpdir(), "lambdaflex-burst-"));
  try {
    const path = join(folder, "burst.template.json");
    writeFileSync(path, text);
    const assetHash = createHash("sha256").update(text).digest("hex");
    const asset = new Asset(scope, "BurstTemplate", { path, assetHash });
    const { httpUrl: url, s3BucketName: bucket, s3ObjectKey: key } = asset;
    return { text, place: { url, objectArn: `arn:${Aws.PARTITION}:s3:::${bucket}/${key}` } };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function stageBundle(scope: Construct, path: string): { s3Bucket: string; s3Key: string } {
  // Beside the bundle lie the modules that it was made from.
  const exclude = ["*", ...Object.values(bundleFiles).map((file) => `!${file}`)];
  const asset = new Asset(scope, "ControllerCode", {
    path,
    exclude,
    ignoreMode: IgnoreMode.GIT,
    deployTime: true,
  });
  return { s3Bucket: asset.s3BucketName, s3Key: asset.s3ObjectKey };
}
