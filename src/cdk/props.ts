/**
 * The keys of the configuration as properties,
 * written by `node tools/schema.ts` from `schema.ts`: change that.
 */

/** How a service is deployed: each key of lambdaflex.json without its dots. */
export interface DeploymentProps {
  /**
   * Prefix of everything that is created; left out, it is the folder's name.
   * @default - the construct's id in lower case
   */
  readonly name?: string;
  /**
   * Port that the service listens on in a container.
   * @default 8080
   */
  readonly port?: number;
  /**
   * Environment variables of the service on both tiers, 4 KB together.
   * @default {}
   */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Variables whose values come from Secrets Manager or Systems Manager when the service starts.
   * @default {}
   */
  readonly secrets?: Readonly<Record<string, string>>;
  /**
   * start lets the bootstrap read secrets on Lambda; deploy writes those of Secrets Manager into
   * the function's configuration, for images without the bootstrap.
   * @default "start"
   */
  readonly secretsAt?: "start" | "deploy";
  /**
   * What the service may do in AWS, on both tiers.
   * @default []
   */
  readonly permissions?: ReadonlyArray<{
    /** Actions of IAM. */
    readonly actions: readonly string[];
    /** ARNs that they apply to. */
    readonly resources: readonly string[];
    /** Conditions of IAM: operator, key and value. Default: {}. */
    readonly conditions?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  }>;
  /**
   * Path that answers 200 to 299 once the service is ready; health checks use it too.
   * @default "/"
   */
  readonly readinessPath?: string;
  /**
   * Longest time from the start of the service to its first good answer.
   * @default 30
   */
  readonly readinessTimeoutSeconds?: number;
  /**
   * Memory of one environment; CPU grows with it.
   * @default 512
   */
  readonly lambdaMemoryMB?: number;
  /**
   * Longest time for one answer, on both tiers; API Gateway ends requests after 30 s.
   * @default 29
   */
  readonly lambdaTimeoutSeconds?: number;
  /**
   * Processor that the image is built for, on both tiers.
   * @default "arm64"
   */
  readonly lambdaArchitecture?: "arm64" | "x86_64";
  /**
   * Environments that the account lets run at once; more requests are throttled.
   * @default 1000
   */
  readonly lambdaConcurrencyMax?: number;
  /**
   * Processors of one task: 0.25, 0.5, 1, 2, 4, 8 or 16.
   * @default 0.5
   */
  readonly fargateVcpu?: 0.25 | 0.5 | 1 | 2 | 4 | 8 | 16;
  /**
   * Memory of one task; which sizes exist depends on `vcpu`.
   * @default 1024
   */
  readonly fargateMemoryMB?: number;
  /**
   * Fewest tasks while the tier exists; 2 survive the loss of one.
   * @default 2
   */
  readonly fargateMinTasks?: number;
  /**
   * Most tasks that scaling may start.
   * @default 10
   */
  readonly fargateMaxTasks?: number;
  /**
   * Average processor use that scaling aims at.
   * @default 60
   */
  readonly fargateCpuPercent?: number;
  /**
   * Requests for each task that scaling aims at.
   * @default 3000
   */
  readonly fargateRequestsPerTaskPerMinute?: number;
  /**
   * Time that a leaving task has for the requests it is busy with.
   * @default 35
   */
  readonly fargateDeregistrationDelaySeconds?: number;
  /**
   * Time between SIGTERM and SIGKILL for a task.
   * @default 60
   */
  readonly fargateStopTimeoutSeconds?: number;
  /**
   * Longest life of a client's connection; AWS's own 3600 pins clients to the tier.
   * @default 60
   */
  readonly fargateClientKeepAliveSeconds?: number;
  /**
   * strict holds Fargate to what Lambda allows: 6 MB, 10 KB of headers, timeoutSeconds, no forged
   * client address; needs the bootstrap in the image.
   * @default "native"
   */
  readonly fargateEnvelope?: "native" | "strict";
  /**
   * Time between two health checks of a task.
   * @default 5
   */
  readonly fargateHealthCheckIntervalSeconds?: number;
  /**
   * Longest time for the answer to a health check.
   * @default 3
   */
  readonly fargateHealthCheckTimeoutSeconds?: number;
  /**
   * Good answers in a row after which a task is healthy.
   * @default 2
   */
  readonly fargateHealthCheckHealthyThreshold?: number;
  /**
   * Bad answers in a row after which a task is replaced.
   * @default 3
   */
  readonly fargateHealthCheckUnhealthyThreshold?: number;
  /**
   * Requests a minute that ask for Fargate.
   * @default 3000
   */
  readonly thresholdsUpRequestsPerMinute?: number;
  /**
   * Requests in flight at once that ask for Fargate.
   * @default 50
   */
  readonly thresholdsUpConcurrency?: number;
  /**
   * Minutes above a threshold before the alarm rings ...
   * @default 2
   */
  readonly thresholdsUpPeriods?: number;
  /**
   * ... out of this many minutes looked at.
   * @default 3
   */
  readonly thresholdsUpOf?: number;
  /**
   * Requests a minute, both tiers together, below which it is quiet.
   * @default 300
   */
  readonly thresholdsDownRequestsPerMinute?: number;
  /**
   * How many minutes in a row must be quiet.
   * @default 15
   */
  readonly thresholdsDownMinutes?: number;
  /**
   * Fargate's share of the traffic after each step up, in per cent.
   * @default [10,50,100]
   */
  readonly transitionStepPercents?: readonly number[];
  /**
   * Fargate's share of the traffic after each step down, in per cent.
   * @default [50,0]
   */
  readonly transitionStepPercentsDown?: readonly number[];
  /**
   * Time to observe after each step, once clients follow it.
   * @default 60
   */
  readonly transitionBakeSeconds?: number;
  /**
   * How long tasks must be healthy before traffic moves; a late removal would show meanwhile.
   * @default 30
   */
  readonly transitionHealthySeconds?: number;
  /**
   * Good answers in a row through the balancer before traffic moves.
   * @default 5
   */
  readonly transitionProbes?: number;
  /**
   * Time that clients may keep a DNS answer.
   * @default 60
   */
  readonly transitionTtlSeconds?: number;
  /**
   * A shift turns back when the new tier's 5xx share is higher than the old one's by more.
   * @default 2
   */
  readonly transitionErrorMarginPercent?: number;
  /**
   * Answers of the new tier before its errors count.
   * @default 50
   */
  readonly transitionErrorRequestsMin?: number;
  /**
   * Shortest stay on Fargate; a balancer's hours are billed whole.
   * @default 50
   */
  readonly transitionDwellMinutes?: number;
  /**
   * Shortest stay on Lambda after Fargate.
   * @default 10
   */
  readonly transitionCooldownMinutes?: number;
  /**
   * How long no client may have used the balancer before it is removed; some keep addresses.
   * @default 10
   */
  readonly transitionDrainQuietMinutes?: number;
  /**
   * Longest wait for that; then it is removed although clients still come.
   * @default 60
   */
  readonly transitionDrainMinutesMax?: number;
  /**
   * Until the Fargate tier must be healthy.
   * @default 15
   */
  readonly transitionDeadlinesProvisioningMinutes?: number;
  /**
   * Until all weights must have moved.
   * @default 30
   */
  readonly transitionDeadlinesShiftingMinutes?: number;
  /**
   * Until the Fargate tier must be gone.
   * @default 30
   */
  readonly transitionDeadlinesDeprovisioningMinutes?: number;
  /**
   * Wait after a failed burst before the next; doubles with each failure in a row.
   * @default 5
   */
  readonly transitionBackoffMinutes?: number;
  /**
   * Longest wait after a failure.
   * @default 60
   */
  readonly transitionBackoffMinutesMax?: number;
  /**
   * How often the controller looks while it waits for something.
   * @default 5
   */
  readonly transitionPollSeconds?: number;
  /**
   * warm keeps the free network pieces between bursts; cold removes them as well.
   * @default "warm"
   */
  readonly standby?: "warm" | "cold";
  /**
   * Host name of the service, in a zone of Route 53; null means none.
   * @default null
   */
  readonly domain?: string | null;
  /**
   * Route 53 zone of `domain`; null means that `lambdaflex deploy` looks it up.
   * @default null
   */
  readonly hostedZoneId?: string | null;
  /**
   * Certificate of `domain` in the service's region; null means one is made, for free.
   * @default null
   */
  readonly certificateArn?: string | null;
  /**
   * API in front of Lambda: http is cheaper; rest keeps encoded paths such as /a%2Fb and ends
   * answers after 29 s.
   * @default "http"
   */
  readonly frontDoor?: "http" | "rest";
  /**
   * Requests a second on average.
   * @default 10000
   */
  readonly throttleRequestsPerSecond?: number;
  /**
   * Requests at once above that.
   * @default 5000
   */
  readonly throttleBurst?: number;
  /**
   * public gives each task an address that only the balancer reaches; private none, and a NAT
   * gateway during bursts.
   * @default "public"
   */
  readonly networkTasks?: "public" | "private";
  /**
   * NAT gateways of private tasks, 0.045 USD an hour each; 2 survive the loss of a zone.
   * @default 1
   */
  readonly networkNatGateways?: number;
  /**
   * VPC that both tiers join, for a database; null means none.
   * @default null
   */
  readonly networkVpcId?: string | null;
  /**
   * Private subnets of that VPC that the service runs in.
   * @default []
   */
  readonly networkSubnetIds?: readonly string[];
  /**
   * Public subnets of that VPC for the balancer.
   * @default []
   */
  readonly networkBalancerSubnetIds?: readonly string[];
  /**
   * Security groups that the service belongs to in that VPC, on both tiers.
   * @default []
   */
  readonly networkSecurityGroupIds?: readonly string[];
  /**
   * Addresses that hear of transitions and failures; each must confirm once.
   * @default []
   */
  readonly notificationsEmails?: readonly string[];
  /**
   * Secret or parameter that holds the address that events are posted to.
   * @default null
   */
  readonly notificationsWebhook?: string | null;
  /**
   * Days that the logs of the service and of the controller are kept.
   * @default 30
   */
  readonly logRetentionDays?: 1 | 3 | 7 | 14 | 30 | 60 | 90 | 180 | 365;
  /**
   * Whether CloudWatch gets a dashboard of both tiers; three of an account are free.
   * @default true
   */
  readonly dashboard?: boolean;
  /**
   * What decides on the tier: auto, work-function and break-even weigh what tiers cost, threshold
   * follows the alarms. Whoever sets thresholds and no policy gets threshold.
   * @default "auto"
   */
  readonly policy?: "threshold" | "break-even" | "work-function" | "auto";
}
