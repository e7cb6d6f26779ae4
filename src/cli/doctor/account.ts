/** Checks of the account: quotas, service-linked roles, the CDK's bootstrap. */
import { GetRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { GetAccountSettingsCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { GetServiceQuotaCommand, ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import { GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { UserError } from "../../config/errors.ts";
import type { Config } from "../../config/index.ts";
import { isNamed } from "../aws/errors.ts";
import { clientOf, type Session } from "../aws/session.ts";
import { type Finding, fine, warning } from "./finding.ts";

/** The oldest version of the bootstrap stack that new synthesised stacks accept. */
export const bootstrapVersionMin = 6;

const bootstrapParameter = "/cdk-bootstrap/hnb659fds/version";

/** Throws UserError BOOTSTRAP_MISSING unless the CDK can deploy here. */
export async function checkBootstrap(session: Session): Promise<Finding> {
  const { account, region } = session;
  const hint = `Run once: npx cdk bootstrap aws://${account}/${region}`;
  const client = new SSMClient(clientOf(session));
  const answer = await client
    .send(new GetParameterCommand({ Name: bootstrapParameter }))
    .catch((error) => {
      if (!isNamed(error, "ParameterNotFound")) throw error;
      const message = `account ${account} is not bootstrapped for the CDK in ${region}`;
      throw new UserError("BOOTSTRAP_MISSING", message, hint);
    });
  const version = Number(answer.Parameter?.Value);
  if (version >= bootstrapVersionMin) return fine("bootstrap", `version ${version}`);
  const message = `the CDK bootstrap is version ${answer.Parameter?.Value}, needed is 6 or newer`;
  throw new UserError("BOOTSTRAP_MISSING", message, hint);
}

/** Environments that AWS gives to a new account until it is asked for more. */
const newAccount = 10;
const raise =
  "aws service-quotas request-service-quota-increase --service-code lambda " +
  "--quota-code L-B99A9384 --desired-value 1000";

/** How many environments the account may run, against what the configuration counts on. */
export async function checkConcurrency(session: Session, config: Config): Promise<Finding> {
  const client = new LambdaClient(clientOf(session));
  const { AccountLimit } = await client.send(new GetAccountSettingsCommand({}));
  const limit = AccountLimit?.ConcurrentExecutions ?? 0;
  const assumed = config.lambda.concurrencyMax;
  if (limit <= newAccount) {
    return warning(
      "concurrency",
      `the account may run ${limit} Lambda environments at once`,
      "Each answers one request at a time: more are throttled before Fargate is up.",
      `Ask for more, it is free: ${raise} (or Service Quotas in the console).`,
    );
  }
  const { concurrency } = config.thresholds.up;
  if (limit < concurrency * 1.5) {
    return warning(
      "concurrency",
      `${limit} Lambda environments, and the burst begins at ${concurrency} requests in flight`,
      "Requests may be throttled before the burst tier is up.",
      `Lower thresholds.up.concurrency to ${Math.floor(limit * 0.6)}, or ${raise}`,
    );
  }
  if (limit < assumed) {
    return warning(
      "concurrency",
      `the account may run ${limit} Lambda environments, lambda.concurrencyMax says ${assumed}`,
      "Rehearsals and simulations count on more than there is.",
      `Set lambda.concurrencyMax to ${limit}, or ${raise}`,
    );
  }
  return fine("concurrency", `${limit} Lambda environments`);
}

/** Whether the account may run as many Fargate processors as the burst tier may need. */
export async function checkFargateQuota(session: Session, config: Config): Promise<Finding> {
  const client = new ServiceQuotasClient(clientOf(session));
  const answer = await client.send(
    new GetServiceQuotaCommand({ ServiceCode: "fargate", QuotaCode: "L-3032A538" }),
  );
  const limit = answer.Quota?.Value ?? 0;
  const { vcpu, maxTasks } = config.fargate;
  const needed = vcpu * maxTasks;
  const what = `${limit} Fargate processors, the burst tier may use ${needed}`;
  if (limit >= needed) return fine("fargate quota", what);
  return warning(
    "fargate quota",
    what,
    "Scaling out stops at the quota, which all services of the account share.",
    "aws service-quotas request-service-quota-increase --service-code fargate " +
      `--quota-code L-3032A538 --desired-value ${Math.ceil(needed * 2)}`,
  );
}

/** Roles that AWS services make for themselves; the burst stack may not make any. */
export const serviceRoles: readonly { readonly role: string; readonly service: string }[] = [
  { role: "AWSServiceRoleForECS", service: "ecs.amazonaws.com" },
  {
    role: "AWSServiceRoleForElasticLoadBalancing",
    service: "elasticloadbalancing.amazonaws.com",
  },
  {
    role: "AWSServiceRoleForApplicationAutoScaling_ECSService",
    service: "ecs.application-autoscaling.amazonaws.com",
  },
];

/** The service-linked roles that do not exist yet. */
export async function missingServiceRoles(session: Session): Promise<typeof serviceRoles> {
  const client = new IAMClient(clientOf(session));
  const missing = await Promise.all(
    serviceRoles.map(async (one) => {
      try {
        await client.send(new GetRoleCommand({ RoleName: one.role }));
        return [];
      } catch (error) {
        if (isNamed(error, "NoSuchEntityException", "NoSuchEntity")) return [one];
        throw error;
      }
    }),
  );
  return missing.flat();
}

/** Whether the burst tier finds the roles that it needs. */
export async function checkServiceRoles(session: Session): Promise<Finding> {
  const missing = await missingServiceRoles(session);
  if (missing.length === 0) return fine("service roles", "ECS, load balancing and scaling");
  return warning(
    "service roles",
    `missing: ${missing.map(({ role }) => role).join(", ")}`,
    "The controller may not make roles, so a burst would fail without them.",
    "lambdaflex deploy makes them. By hand: " +
      missing
        .map(({ service }) => `aws iam create-service-linked-role --aws-service-name ${service}`)
        .join("; "),
  );
}
