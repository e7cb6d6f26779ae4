/** The burst tier's entrance: it forwards our Host alone, over TLS alone. */
import {
  CfnListener,
  CfnListenerRule,
  CfnLoadBalancer,
  CfnTargetGroup,
} from "aws-cdk-lib/aws-elasticloadbalancingv2";
import { Aws, type CfnResource, Fn } from "aws-cdk-lib/core";
import type { Construct } from "constructs";
import type { Network } from "./network.ts";
import type { Plan } from "./plan.ts";

/** TLS 1.2 and 1.3 with forward secrecy. */
const tlsPolicy = "ELBSecurityPolicy-TLS13-1-2-2021-06";

/** The balancer and what a service needs of it. */
export interface Balancer {
  readonly balancer: CfnLoadBalancer;
  readonly targetGroup: CfnTargetGroup;
  /** Until then no listener uses the group, and ECS refuses it. */
  readonly attached: CfnResource;
}

/** Makes balancer, listeners and target group. */
export function addBalancer(
  scope: Construct,
  plan: Plan,
  network: Network,
  inputs: { readonly securityGroup: string; readonly certificateArn: string },
): Balancer {
  const { config } = plan;
  const name = uniqueName(config.name);
  const balancer = new CfnLoadBalancer(scope, "Alb", {
    name,
    type: "application",
    scheme: "internet-facing",
    ipAddressType: "ipv4",
    subnets: [...network.publicSubnetIds],
    securityGroups: [inputs.securityGroup],
    loadBalancerAttributes: attributes({
      // Who waits longer gets a 504 on Lambda: here as well, after the same time.
      "idle_timeout.timeout_seconds": config.lambda.timeoutSeconds,
      "client_keep_alive.seconds": config.fargate.clientKeepAliveSeconds,
      "routing.http.drop_invalid_header_fields.enabled": true,
      "routing.http.desync_mitigation_mode": "defensive",
      // The controller must be able to remove it.
      "deletion_protection.enabled": false,
    }),
  });
  for (const part of network.ready) balancer.addResourceDependency(part);
  const targetGroup = addTargetGroup(scope, plan, name, network.vpcId);
  const https = new CfnListener(scope, "HttpsListener", {
    loadBalancerArn: balancer.ref,
    port: 443,
    protocol: "HTTPS",
    sslPolicy: tlsPolicy,
    certificates: [{ certificateArn: inputs.certificateArn }],
    defaultActions: [refuse],
  });
  const http = new CfnListener(scope, "HttpListener", {
    loadBalancerArn: balancer.ref,
    port: 80,
    protocol: "HTTP",
    defaultActions: [refuse],
  });
  const ours = [{ field: "host-header", hostHeaderConfig: { values: [config.domain ?? ""] } }];
  new CfnListenerRule(scope, "Redirect", {
    listenerArn: http.ref,
    priority: 1,
    conditions: ours,
    actions: [
      {
        type: "redirect",
        redirectConfig: { protocol: "HTTPS", port: "443", statusCode: "HTTP_301" },
      },
    ],
  });
  const attached = new CfnListenerRule(scope, "Forward", {
    listenerArn: https.ref,
    priority: 1,
    conditions: ours,
    actions: [{ type: "forward", targetGroupArn: targetGroup.ref }],
  });
  return { balancer, targetGroup, attached };
}

/** Scanners find a balancer's addresses within minutes; they ask for no Host of ours. */
const refuse: CfnListener.ActionProperty = {
  type: "fixed-response",
  fixedResponseConfig: { statusCode: "404", contentType: "text/plain", messageBody: "not found" },
};

function addTargetGroup(
  scope: Construct,
  { config }: Plan,
  name: string,
  vpcId: string,
): CfnTargetGroup {
  const { healthCheck, deregistrationDelaySeconds } = config.fargate;
  return new CfnTargetGroup(scope, "TargetGroup", {
    name,
    targetType: "ip",
    protocol: "HTTP",
    port: config.port,
    vpcId,
    healthCheckPath: config.readiness.path,
    healthCheckIntervalSeconds: healthCheck.intervalSeconds,
    healthCheckTimeoutSeconds: healthCheck.timeoutSeconds,
    healthyThresholdCount: healthCheck.healthyThreshold,
    unhealthyThresholdCount: healthCheck.unhealthyThreshold,
    matcher: { httpCode: "200-299" },
    targetGroupAttributes: attributes({
      "deregistration_delay.timeout_seconds": deregistrationDelaySeconds,
      "load_balancing.algorithm.type": "least_outstanding_requests",
    }),
  });
}

/** 24 of 32 characters at most; the stack's id tells it from an orphan of an earlier one. */
function uniqueName(app: string): string {
  const id = Fn.select(2, Fn.split("/", Aws.STACK_ID));
  return `${app}-${Fn.select(0, Fn.split("-", id))}`;
}

function attributes(
  values: Readonly<Record<string, string | number | boolean>>,
): { readonly key: string; readonly value: string }[] {
  return Object.entries(values).map(([key, value]) => ({ key, value: String(value) }));
}
