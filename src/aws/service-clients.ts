/** The SDK's clients that AwsCloud speaks through. Reads and repeatable requests are retried. */
import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { ECSClient } from "@aws-sdk/client-ecs";
import { ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { Route53Client } from "@aws-sdk/client-route-53";
import { type ClientSettings, retrying } from "./clients.ts";

/** One client per service. */
export interface ServiceClients {
  readonly cloudformation: CloudFormationClient;
  readonly cloudwatch: CloudWatchClient;
  readonly ecs: ECSClient;
  readonly elb: ElasticLoadBalancingV2Client;
  readonly lambda: LambdaClient;
  readonly route53: Route53Client;
}

/** Makes the clients; nothing is asked of AWS yet. */
export function serviceClients(settings: ClientSettings): ServiceClients {
  const configuration = retrying(settings);
  return {
    cloudformation: new CloudFormationClient(configuration),
    cloudwatch: new CloudWatchClient(configuration),
    ecs: new ECSClient(configuration),
    elb: new ElasticLoadBalancingV2Client(configuration),
    lambda: new LambdaClient(configuration),
    route53: new Route53Client(configuration),
  };
}

/** Closes the sockets of all clients. */
export function closeClients(clients: ServiceClients): void {
  for (const client of Object.values(clients)) client.destroy();
}
