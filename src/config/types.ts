/**
 * The configuration's types, written by `node tools/schema.ts` from `schema.ts`: change that.
 *
 * They are spelled out, so that editors show a sentence for each key and no import of zod is
 * needed to use them.
 */

export type { ConfigInput } from "./input.ts";

/** A complete configuration: every key has a value. */
export interface Config {
  /** Where editors find the JSON schema. */
  readonly $schema?: string;
  /**
   * Prefix of everything that is created; left out, it is the folder's name. Default: "service".
   */
  readonly name: string;
  /**
   * How the service starts: a text is run by /bin/sh, a list is run as it is. It must listen on
   * $PORT.
   */
  readonly command: string | readonly string[];
  /** Port that the service listens on in a container. Default: 8080. */
  readonly port: number;
  /**
   * One-off command before the first start; it runs again when it changes or a file that it names
   * does. Default: null.
   */
  readonly setup: null | string | readonly string[];
  /** Environment variables of the service on both tiers, 4 KB together. Default: {}. */
  readonly env: Readonly<Record<string, string>>;
  /**
   * Variables whose values come from Secrets Manager or Systems Manager when the service starts.
   * Default: {}.
   */
  readonly secrets: Readonly<Record<string, string>>;
  /**
   * start lets the bootstrap read secrets on Lambda; deploy writes those of Secrets Manager into
   * the function's configuration, for images without the bootstrap. Default: "start".
   */
  readonly secretsAt: "start" | "deploy";
  /** What the service may do in AWS, on both tiers. Default: []. */
  readonly permissions: ReadonlyArray<{
    /** Actions of IAM. */
    readonly actions: readonly string[];
    /** ARNs that they apply to. */
    readonly resources: readonly string[];
    /** Conditions of IAM: operator, key and value. Default: {}. */
    readonly conditions: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  }>;
  /** When the service may receive requests. */
  readonly readiness: {
    /**
     * Path that answers 200 to 299 once the service is ready; health checks use it too. Default:
     * "/".
     */
    readonly path: string;
    /** Longest time from the start of the service to its first good answer. Default: 30. */
    readonly timeoutSeconds: number;
  };
  /** The Lambda tier: from zero to moderate load. */
  readonly lambda: {
    /** Memory of one environment; CPU grows with it. Default: 512. */
    readonly memoryMB: number;
    /**
     * Longest time for one answer, on both tiers; API Gateway ends requests after 30 s. Default:
     * 29.
     */
    readonly timeoutSeconds: number;
    /** Processor that the image is built for, on both tiers. Default: "arm64". */
    readonly architecture: "arm64" | "x86_64";
    /**
     * Environments that the account lets run at once; more requests are throttled. Default: 1000.
     */
    readonly concurrencyMax: number;
    /** How long an unused environment stays, in the local cloud. Default: 10. */
    readonly idleMinutes: number;
  };
  /** The Fargate tier: present only while demand is high. */
  readonly fargate: {
    /** Processors of one task: 0.25, 0.5, 1, 2, 4, 8 or 16. Default: 0.5. */
    readonly vcpu: 0.25 | 0.5 | 1 | 2 | 4 | 8 | 16;
    /** Memory of one task; which sizes exist depends on `vcpu`. Default: 1024. */
    readonly memoryMB: number;
    /** Fewest tasks while the tier exists; 2 survive the loss of one. Default: 2. */
    readonly minTasks: number;
    /** Most tasks that scaling may start. Default: 10. */
    readonly maxTasks: number;
    /** Average processor use that scaling aims at. Default: 60. */
    readonly cpuPercent: number;
    /** Requests for each task that scaling aims at. Default: 3000. */
    readonly requestsPerTaskPerMinute: number;
    /** Time that a leaving task has for the requests it is busy with. Default: 35. */
    readonly deregistrationDelaySeconds: number;
    /** Time between SIGTERM and SIGKILL for a task. Default: 60. */
    readonly stopTimeoutSeconds: number;
    /**
     * Longest life of a client's connection; AWS's own 3600 pins clients to the tier. Default: 60.
     */
    readonly clientKeepAliveSeconds: number;
    /**
     * strict holds Fargate to what Lambda allows: 6 MB, 10 KB of headers, timeoutSeconds, no forged
     * client address; needs the bootstrap in the image. Default: "native".
     */
    readonly envelope: "native" | "strict";
    /** How the balancer checks a task, at `readiness.path`. */
    readonly healthCheck: {
      /** Time between two health checks of a task. Default: 5. */
      readonly intervalSeconds: number;
      /** Longest time for the answer to a health check. Default: 3. */
      readonly timeoutSeconds: number;
      /** Good answers in a row after which a task is healthy. Default: 2. */
      readonly healthyThreshold: number;
      /** Bad answers in a row after which a task is replaced. Default: 3. */
      readonly unhealthyThreshold: number;
    };
  };
  /** What the policy threshold follows, as CloudWatch alarms; others are only woken. */
  readonly thresholds: {
    /** What counts as busy. */
    readonly up: {
      /** Requests a minute that ask for Fargate. Default: 3000. */
      readonly requestsPerMinute: number;
      /** Requests in flight at once that ask for Fargate. Default: 50. */
      readonly concurrency: number;
      /** Minutes above a threshold before the alarm rings ... Default: 2. */
      readonly periods: number;
      /** ... out of this many minutes looked at. Default: 3. */
      readonly of: number;
    };
    /** What counts as quiet. */
    readonly down: {
      /** Requests a minute, both tiers together, below which it is quiet. Default: 300. */
      readonly requestsPerMinute: number;
      /** How many minutes in a row must be quiet. Default: 15. */
      readonly minutes: number;
    };
  };
  /** How traffic moves from one tier to the other. */
  readonly transition: {
    /** Fargate's share of the traffic after each step up, in per cent. Default: [10,50,100]. */
    readonly stepPercents: readonly number[];
    /** Fargate's share of the traffic after each step down, in per cent. Default: [50,0]. */
    readonly stepPercentsDown: readonly number[];
    /** Time to observe after each step, once clients follow it. Default: 60. */
    readonly bakeSeconds: number;
    /**
     * How long tasks must be healthy before traffic moves; a late removal would show meanwhile.
     * Default: 30.
     */
    readonly healthySeconds: number;
    /** Good answers in a row through the balancer before traffic moves. Default: 5. */
    readonly probes: number;
    /** Time that clients may keep a DNS answer. Default: 60. */
    readonly ttlSeconds: number;
    /**
     * A shift turns back when the new tier's 5xx share is higher than the old one's by more.
     * Default: 2.
     */
    readonly errorMarginPercent: number;
    /** Answers of the new tier before its errors count. Default: 50. */
    readonly errorRequestsMin: number;
    /** Shortest stay on Fargate; a balancer's hours are billed whole. Default: 50. */
    readonly dwellMinutes: number;
    /** Shortest stay on Lambda after Fargate. Default: 10. */
    readonly cooldownMinutes: number;
    /**
     * How long no client may have used the balancer before it is removed; some keep addresses.
     * Default: 10.
     */
    readonly drainQuietMinutes: number;
    /** Longest wait for that; then it is removed although clients still come. Default: 60. */
    readonly drainMinutesMax: number;
    /** A phase that takes longer has failed: traffic returns to Lambda. */
    readonly deadlines: {
      /** Until the Fargate tier must be healthy. Default: 15. */
      readonly provisioningMinutes: number;
      /** Until all weights must have moved. Default: 30. */
      readonly shiftingMinutes: number;
      /** Until the Fargate tier must be gone. Default: 30. */
      readonly deprovisioningMinutes: number;
    };
    /**
     * Wait after a failed burst before the next; doubles with each failure in a row. Default: 5.
     */
    readonly backoffMinutes: number;
    /** Longest wait after a failure. Default: 60. */
    readonly backoffMinutesMax: number;
    /** How often the controller looks while it waits for something. Default: 5. */
    readonly pollSeconds: number;
  };
  /**
   * warm keeps the free network pieces between bursts; cold removes them as well. Default: "warm".
   */
  readonly standby: "warm" | "cold";
  /** Host name of the service, in a zone of Route 53; null means none. Default: null. */
  readonly domain: string | null;
  /** Route 53 zone of `domain`; null means that `lambdaflex deploy` looks it up. Default: null. */
  readonly hostedZoneId: string | null;
  /**
   * Certificate of `domain` in the service's region; null means one is made, for free. Default:
   * null.
   */
  readonly certificateArn: string | null;
  /**
   * API in front of Lambda: http is cheaper; rest keeps encoded paths such as /a%2Fb and ends
   * answers after 29 s. Default: "http".
   */
  readonly frontDoor: "http" | "rest";
  /** What the API in front of Lambda lets through; more is answered with 429. */
  readonly throttle: {
    /** Requests a second on average. Default: 10000. */
    readonly requestsPerSecond: number;
    /** Requests at once above that. Default: 5000. */
    readonly burst: number;
  };
  /** Where the service runs. */
  readonly network: {
    /**
     * public gives each task an address that only the balancer reaches; private none, and a NAT
     * gateway during bursts. Default: "public".
     */
    readonly tasks: "public" | "private";
    /**
     * NAT gateways of private tasks, 0.045 USD an hour each; 2 survive the loss of a zone. Default:
     * 1.
     */
    readonly natGateways: number;
    /** VPC that both tiers join, for a database; null means none. Default: null. */
    readonly vpcId: string | null;
    /** Private subnets of that VPC that the service runs in. Default: []. */
    readonly subnetIds: readonly string[];
    /** Public subnets of that VPC for the balancer. Default: []. */
    readonly balancerSubnetIds: readonly string[];
    /** Security groups that the service belongs to in that VPC, on both tiers. Default: []. */
    readonly securityGroupIds: readonly string[];
  };
  /** Who hears of transitions and failures. */
  readonly notifications: {
    /** Addresses that hear of transitions and failures; each must confirm once. Default: []. */
    readonly emails: readonly string[];
    /** Secret or parameter that holds the address that events are posted to. Default: null. */
    readonly webhook: string | null;
  };
  /** Days that the logs of the service and of the controller are kept. Default: 30. */
  readonly logRetentionDays: 1 | 3 | 7 | 14 | 30 | 60 | 90 | 180 | 365;
  /**
   * Whether CloudWatch gets a dashboard of both tiers; three of an account are free. Default: true.
   */
  readonly dashboard: boolean;
  /**
   * What decides on the tier: auto, work-function and break-even weigh what tiers cost, threshold
   * follows the alarms. Whoever sets thresholds and no policy gets threshold. Default: "auto".
   */
  readonly policy: "threshold" | "break-even" | "work-function" | "auto";
  /** The requests that a rehearsal sends. */
  readonly load: {
    /** The mix of requests; empty means GET of `readiness.path`, answered with 200. Default: []. */
    readonly requests: ReadonlyArray<{
      /** The request's method. Default: "GET". */
      readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
      /**
       * Path and query; everywhere in a request `{n}` becomes a number from 1 to 50, `{token}` a
       * word that no other request has.
       */
      readonly path: string;
      /** Headers to send. Default: {}. */
      readonly headers: Readonly<Record<string, string>>;
      /**
       * What is sent, as JSON unless the headers say otherwise; a text is sent as it is. Default:
       * null.
       */
      readonly body: null | string | readonly unknown[] | Readonly<Record<string, unknown>>;
      /** How often it is sent, relative to the other requests. Default: 1. */
      readonly weight: number;
      /** Statuses that the service means; any other answer counts as failed. Default: [200]. */
      readonly expect: readonly number[];
      /**
       * Whether a 2xx answer must contain the request's `{token}`, or else is not its own. Default:
       * false.
       */
      readonly echo: boolean;
    }>;
  };
  /** Which files belong to the service: their change restarts it in `lambdaflex dev`. */
  readonly watch: {
    /** Files and folders to watch, relative to the configuration's folder. Default: ["."]. */
    readonly paths: readonly string[];
    /**
     * Names of files and folders that are not looked at, at any depth. Default:
     * ["node_modules",".venv",".git",".lambdaflex","__pycache__","dist"].
     */
    readonly ignore: readonly string[];
  };
}
