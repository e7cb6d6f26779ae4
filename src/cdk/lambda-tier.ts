/** The permanent tier: a function of the image, its published version and the alias that serves. */
import { createHash } from "node:crypto";
import { CfnAlias, CfnFunction, type CfnFunctionProps, CfnVersion } from "aws-cdk-lib/aws-lambda";
import type { CfnLogGroup } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import { UserError } from "../config/index.ts";
import { digestOf, type Plan, resolved } from "./plan.ts";
import type { ServiceRoles } from "./roles.ts";
import { secretVariables, serviceVariables } from "./variables.ts";

/** The Lambda tier's resources that others refer to. */
export interface LambdaTier {
  readonly app: CfnFunction;
  readonly alias: CfnAlias;
}

/** Lambda's limit for all variables of a function. */
const variableBytesMax = 4096;

/** Makes the function, and a version for each image and each set of its settings. */
export function addLambdaTier(
  scope: Construct,
  plan: Plan,
  roles: ServiceRoles,
  logs: CfnLogGroup,
): LambdaTier {
  const props = functionProps(plan, roles, logs);
  const app = new CfnFunction(scope, "Function", props);
  const version = new CfnVersion(scope, versionId(scope, plan, props), {
    functionName: app.ref,
    // A version is never updated: another description makes another version, also where the image
    // is a parameter and the logical id cannot tell.
    description: plan.image,
  });
  const alias = new CfnAlias(scope, "Alias", {
    name: plan.names.alias,
    functionName: app.ref,
    functionVersion: version.attrVersion,
  });
  return { app, alias };
}

function functionProps({ config, names, image }: Plan, roles: ServiceRoles, logs: CfnLogGroup) {
  const { lambda, network } = config;
  const variables = { ...serviceVariables(config, "lambda"), ...secretVariables(config) };
  checkSize(variables);
  return {
    functionName: names.appFunction,
    packageType: "Image",
    code: { imageUri: image },
    role: roles.functionRole.attrArn,
    architectures: [lambda.architecture],
    memorySize: lambda.memoryMB,
    timeout: lambda.timeoutSeconds,
    // Lambda's own three lines about each request would cost half as much as the requests.
    loggingConfig: { logGroup: logs.ref, logFormat: "JSON", systemLogLevel: "WARN" },
    environment: { variables },
    ...(network.vpcId !== null && {
      vpcConfig: {
        subnetIds: [...network.subnetIds],
        securityGroupIds: [...network.securityGroupIds],
      },
    }),
  } satisfies CfnFunctionProps;
}

function checkSize(variables: Readonly<Record<string, string>>): void {
  const bytes = Buffer.byteLength(Object.entries(variables).flat().join(""));
  if (bytes <= variableBytesMax) return;
  throw new UserError(
    "CONFIG_VALUE_INVALID",
    `env and secrets take ${bytes} bytes with the variables of lambdaflex; AWS Lambda allows ` +
      `${variableBytesMax}`,
    "Keep large values in a file of the image or in a parameter store.",
  );
}

/** Publishing works once per state of the function, so the id follows image and settings. */
function versionId(scope: Construct, { image }: Plan, props: CfnFunctionProps): string {
  const settings = createHash("sha256").update(resolved(scope, props)).digest("hex").slice(0, 8);
  return `Version${digestOf(image)?.slice(0, 12) ?? "OfParameter"}${settings}`;
}
