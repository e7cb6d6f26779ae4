/**
 * Every permission that the controller needs, with the reason. The stack's policy is made from this
 * list, a test compares it with the calls of a whole cycle, and docs/controller.md shows it.
 */

/** What a permission is given for; the stack knows the ARN. */
export type CallResource =
  /** The stack `<app>-burst`, whatever its id. */
  | "burst-stack"
  /** The role that CloudFormation works with. */
  | "burst-role"
  /** The object that holds the burst template. */
  | "burst-template"
  | "table"
  | "zone"
  | "change"
  /** The application's function with its alias `live`. */
  | "app-function"
  | "cluster"
  /** Any service of the application's own cluster. */
  | "service"
  /** Balancers whose name begins with `<app>-`. */
  | "balancer"
  | "topic"
  | "webhook-parameter"
  | "webhook-secret"
  /** Whatever key the webhook's secret or parameter is encrypted with. */
  | "webhook-key"
  | "controller-logs"
  /** The call knows no narrower resource. */
  | "any";

/** What a statement is narrowed with besides its resource. */
export type CallCondition =
  /** `cloudformation:RoleArn` is the burst role and `cloudformation:TemplateUrl` the pinned one. */
  | "role-and-template"
  /** `cloudformation:RoleArn` is the burst role. */
  | "role"
  /** `iam:PassedToService` is CloudFormation. */
  | "passed-to-cloudformation"
  /** Only the A records of the domain. */
  | "own-records"
  /** Asked for by the service that holds the webhook's address, to decrypt that alone. */
  | "decrypts-webhook"
  /** `aws:ResourceTag/lambdaflex:app` is the application. */
  | "own-tag";

/** When a deployment needs the permission at all. */
export type CallNeed = "always" | "domain" | "webhook";

/** One permission. */
export interface ControllerCall {
  readonly action: `${string}:${string}`;
  readonly on: CallResource;
  readonly condition?: CallCondition;
  readonly need: CallNeed;
  /** Not a call of the controller itself: AWS asks for it on the way of another call. */
  readonly implied?: true;
  readonly reason: string;
}

const stack = { on: "burst-stack", need: "domain" } as const;

/** Everything, grouped by service. */
export const controllerCalls: readonly ControllerCall[] = [
  {
    ...stack,
    action: "cloudformation:CreateStack",
    condition: "role-and-template",
    reason: "Brings the burst tier up, from the pinned template and with the burst role alone.",
  },
  {
    ...stack,
    action: "cloudformation:UpdateStack",
    condition: "role-and-template",
    reason: "Brings a running burst tier to the image that Lambda runs, and to new settings.",
  },
  {
    ...stack,
    action: "cloudformation:DeleteStack",
    condition: "role",
    reason: "Removes the burst tier.",
  },
  {
    ...stack,
    action: "cloudformation:ContinueUpdateRollback",
    condition: "role",
    reason: "Frees a stack whose update could not be rolled back.",
  },
  {
    ...stack,
    action: "cloudformation:DescribeStacks",
    reason: "Reads whether the burst tier stands, and where its balancer is.",
  },
  {
    ...stack,
    action: "cloudformation:DescribeStackEvents",
    reason: "Reads why a resource failed, in its own words.",
  },
  {
    ...stack,
    action: "cloudformation:DescribeStackResources",
    reason: "Finds the resources that a stuck removal must leave to the sweep.",
  },
  {
    ...stack,
    action: "cloudformation:TagResource",
    implied: true,
    reason: "The burst stack is created with the application's tags.",
  },
  {
    action: "iam:PassRole",
    on: "burst-role",
    condition: "passed-to-cloudformation",
    need: "domain",
    implied: true,
    reason: "CloudFormation makes the burst tier with a role that the controller does not have.",
  },
  {
    action: "s3:GetObject",
    on: "burst-template",
    need: "domain",
    implied: true,
    reason: "CloudFormation reads the template as whoever asks for the stack.",
  },
  {
    action: "route53:ChangeResourceRecordSets",
    on: "zone",
    condition: "own-records",
    need: "domain",
    reason: "Moves the weights, both records in one batch.",
  },
  {
    action: "route53:ListResourceRecordSets",
    on: "zone",
    need: "domain",
    reason: "Reads the weights that are in force, and notices a change by hand.",
  },
  {
    action: "route53:GetChange",
    on: "change",
    need: "domain",
    reason: "Learns when every name server answers with the new weights.",
  },
  {
    action: "cloudwatch:DescribeAlarms",
    on: "any",
    need: "always",
    reason: "Reads the state of the four alarms.",
  },
  {
    action: "cloudwatch:GetMetricData",
    on: "any",
    need: "always",
    reason: "Reads requests, errors, throttles, concurrency and latency, while awake.",
  },
  {
    action: "elasticloadbalancing:DescribeTargetHealth",
    on: "any",
    need: "domain",
    reason: "Counts the healthy tasks.",
  },
  {
    action: "elasticloadbalancing:DescribeLoadBalancers",
    on: "any",
    need: "domain",
    reason: "Looks for a balancer that a removal left behind.",
  },
  {
    action: "elasticloadbalancing:DescribeTags",
    on: "any",
    need: "domain",
    reason: "Tells a balancer of this application from one with a similar name.",
  },
  {
    action: "elasticloadbalancing:DeleteLoadBalancer",
    on: "balancer",
    condition: "own-tag",
    need: "domain",
    reason: "Removes a balancer that a stack left behind; it would be billed for ever.",
  },
  {
    action: "ecs:DescribeServices",
    on: "service",
    need: "domain",
    reason: "Reads how many tasks are wanted and which image they run.",
  },
  {
    action: "ecs:ListServices",
    on: "cluster",
    need: "domain",
    reason: "Looks for a service that a removal left behind.",
  },
  {
    action: "ecs:DeleteService",
    on: "service",
    need: "domain",
    reason: "Removes a service that a stack left behind; its tasks would be billed for ever.",
  },
  {
    action: "lambda:GetFunction",
    on: "app-function",
    need: "always",
    reason: "Reads the image digest that the alias runs: both tiers must run the same.",
  },
  {
    action: "lambda:GetAccountSettings",
    on: "any",
    need: "always",
    reason: "Reads how many environments may run before Lambda takes the traffic back.",
  },
  {
    action: "dynamodb:GetItem",
    on: "table",
    need: "always",
    reason: "Reads what is remembered.",
  },
  {
    action: "dynamodb:UpdateItem",
    on: "table",
    need: "always",
    reason: "Commits by compare-and-swap, and takes and returns the lease.",
  },
  {
    action: "dynamodb:PutItem",
    on: "table",
    need: "always",
    reason: "Writes the history.",
  },
  {
    action: "sns:Publish",
    on: "topic",
    need: "always",
    reason: "Tells about decisions and failures.",
  },
  {
    action: "ssm:GetParameter",
    on: "webhook-parameter",
    need: "webhook",
    reason: "Reads the webhook's address, which is a secret.",
  },
  {
    action: "secretsmanager:GetSecretValue",
    on: "webhook-secret",
    need: "webhook",
    implied: true,
    reason: "Parameter Store reads a secret of Secrets Manager as whoever asks for it.",
  },
  {
    action: "kms:Decrypt",
    on: "webhook-key",
    condition: "decrypts-webhook",
    need: "webhook",
    implied: true,
    reason: "A key of the account's own decrypts the webhook's address for whoever reads it.",
  },
  {
    action: "logs:CreateLogStream",
    on: "controller-logs",
    need: "always",
    implied: true,
    reason: "Lambda writes the controller's log.",
  },
  {
    action: "logs:PutLogEvents",
    on: "controller-logs",
    need: "always",
    implied: true,
    reason: "Lambda writes the controller's log and the metrics in it.",
  },
];
