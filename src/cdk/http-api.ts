/** The default front door: cheaper than a REST API, but it decodes paths. */
import { CfnApi, CfnIntegration, CfnRoute, CfnStage } from "aws-cdk-lib/aws-apigatewayv2";
import { CfnPermission } from "aws-cdk-lib/aws-lambda";
import type { CfnLogGroup } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import type { Api } from "./front-door.ts";
import type { LambdaTier } from "./lambda-tier.ts";
import { arn, type Plan } from "./plan.ts";

/** One line per request; what a client sent is quoted by API Gateway. */
const accessLog = JSON.stringify({
  requestId: "$context.requestId",
  ip: "$context.identity.sourceIp",
  method: "$context.httpMethod",
  path: "$context.path",
  status: "$context.status",
  latencyMs: "$context.responseLatency",
  error: "$context.integrationErrorMessage",
});

/** Makes an HTTP API that sends everything to the alias. */
export function addHttpApi(
  scope: Construct,
  { config, names }: Plan,
  { alias }: LambdaTier,
  logs: CfnLogGroup,
): Api {
  const api = new CfnApi(scope, "Api", {
    name: names.api,
    protocolType: "HTTP",
    // Otherwise a client could go around the domain, and the tiers would see different hosts.
    disableExecuteApiEndpoint: config.domain !== null,
  });
  const integration = new CfnIntegration(scope, "Integration", {
    apiId: api.ref,
    integrationType: "AWS_PROXY",
    integrationUri: alias.ref,
    payloadFormatVersion: "2.0",
    timeoutInMillis: 30_000,
  });
  new CfnRoute(scope, "Route", {
    apiId: api.ref,
    routeKey: "$default",
    authorizationType: "NONE",
    target: `integrations/${integration.ref}`,
  });
  const stage = new CfnStage(scope, "Stage", {
    apiId: api.ref,
    stageName: "$default",
    autoDeploy: true,
    defaultRouteSettings: {
      throttlingRateLimit: config.throttle.requestsPerSecond,
      throttlingBurstLimit: config.throttle.burst,
    },
    accessLogSettings: { destinationArn: logs.attrArn, format: accessLog },
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
    url: api.attrApiEndpoint,
    dimension: { name: "ApiId", value: api.ref },
  };
}
