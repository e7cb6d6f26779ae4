/** The other front door: it keeps encoded paths, costs more and ends answers after 29 s. */
import { createHash } from "node:crypto";
import {
  CfnDeployment,
  CfnMethod,
  CfnResource,
  CfnRestApi,
  CfnStage,
} from "aws-cdk-lib/aws-apigateway";
import { CfnPermission } from "aws-cdk-lib/aws-lambda";
import { Aws } from "aws-cdk-lib/core";
import type { Construct } from "constructs";
import type { Api } from "./front-door.ts";
import type { LambdaTier } from "./lambda-tier.ts";
import { arn, type Plan, resolved } from "./plan.ts";

/** Makes a REST API that sends everything to the alias. */
export function addRestApi(scope: Construct, plan: Plan, { alias }: LambdaTier): Api {
  const { config, names } = plan;
  // Named apart from the parts of an HTTP API: CloudFormation changes no resource's type.
  const api = new CfnRestApi(scope, "RestApi", {
    name: names.api,
    endpointConfiguration: { types: ["REGIONAL"] },
    disableExecuteApiEndpoint: config.domain !== null,
    binaryMediaTypes: ["*/*"],
  });
  const proxy = new CfnResource(scope, "Proxy", {
    restApiId: api.ref,
    parentId: api.attrRootResourceId,
    pathPart: "{proxy+}",
  });
  const invocations = `path/2015-03-31/functions/${alias.ref}/invocations`;
  const method = {
    restApiId: api.ref,
    httpMethod: "ANY",
    authorizationType: "NONE",
    integration: {
      type: "AWS_PROXY",
      integrationHttpMethod: "POST",
      uri: `arn:${Aws.PARTITION}:apigateway:${Aws.REGION}:lambda:${invocations}`,
      timeoutInMillis: 29_000,
    },
  };
  const methods = [
    new CfnMethod(scope, "AnyRoot", { ...method, resourceId: api.attrRootResourceId }),
    new CfnMethod(scope, "AnyPath", { ...method, resourceId: proxy.ref }),
  ];
  // A deployment is a snapshot that is never updated: other methods make another one, and so does
  // a door that opens or closes, which API Gateway only takes over with a deployment.
  const shown = resolved(scope, { method, closed: config.domain !== null });
  const contents = createHash("sha256").update(shown).digest("hex").slice(0, 8);
  const deployment = new CfnDeployment(scope, `Deployment${contents}`, { restApiId: api.ref });
  for (const one of methods) deployment.addResourceDependency(one);
  const stage = new CfnStage(scope, "RestStage", {
    restApiId: api.ref,
    stageName: "live",
    deploymentId: deployment.ref,
    methodSettings: [
      {
        httpMethod: "*",
        resourcePath: "/*",
        throttlingRateLimit: config.throttle.requestsPerSecond,
        throttlingBurstLimit: config.throttle.burst,
      },
    ],
  });
  new CfnPermission(scope, "ApiPermission", {
    functionName: alias.ref,
    action: "lambda:InvokeFunction",
    principal: "apigateway.amazonaws.com",
    sourceArn: arn("execute-api", `${api.ref}/*/*`),
  });
  return {
    id: api.ref,
    stage: stage.ref,
    url: `https://${api.ref}.execute-api.${Aws.REGION}.${Aws.URL_SUFFIX}/live`,
    dimension: { name: "ApiName", value: names.api },
  };
}
