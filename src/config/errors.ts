/**
 * User mistakes, each with a code to search for and a hint that says what to do.
 *
 * A mistake is printed without a stack and ends with exit code 2. Bugs are assertions and operating
 * failures are data: neither belongs here. This file imports nothing, so that the command line can
 * report a mistake without loading the schema.
 */

/** Every code with its meaning. `docs/errors.md` is generated from this list. */
export const errorCodes = {
  CONFIG_NOT_FOUND: "There is no configuration where it was looked for.",
  CONFIG_AMBIGUOUS: "The folder holds more than one configuration file.",
  CONFIG_UNREADABLE: "The configuration exists but cannot be read as a UTF-8 text file.",
  CONFIG_TOO_LARGE: "The configuration file is larger than 1 MB.",
  CONFIG_SYNTAX: "The configuration is not valid JSON.",
  CONFIG_IMPORT_FAILED: "The configuration is a program which failed, or did not end in time.",
  CONFIG_NOT_AN_OBJECT: "The configuration is something else than one object.",
  CONFIG_INVALID: "The configuration has several problems: each is listed with its own code.",
  CONFIG_KEY_UNKNOWN: "A key does not exist; the nearest valid one is named.",
  CONFIG_VALUE_INVALID: "A value has the wrong type or lies outside of its range.",
  COMMAND_MISSING: "The configuration does not say how the service is started.",
  SECRET_INVALID: "A variable is both in `env` and in `secrets`, or it cannot be a secret.",
  PERMISSION_REFUSED: "The service asks for a permission that no service should have.",
  NETWORK_INVALID: "The keys of `network` contradict each other or `standby`.",
  DOMAIN_MISSING: "A key describes the domain, but there is none.",
  CONTROLLER_MISSING: "The built controller is not where the package should have it.",
  HOSTED_ZONE_MISSING: "There is a domain, but nobody has said which zone it is in.",
  IMAGE_INVALID: "The image to deploy is not named by its digest.",
  ENV_RESERVED: "A variable of `env` is set by AWS Lambda or by lambdaflex itself.",
  FARGATE_SIZE_INVALID: "Fargate does not offer this pair of `vcpu` and `memoryMB`.",
  TASKS_INVALID: "The fewest tasks are above the most: `fargate.minTasks`, `fargate.maxTasks`.",
  HEALTH_CHECK_INVALID: "A health check may take as long as the interval between two of them.",
  DRAIN_TOO_SHORT: "A target or task would be stopped before its last requests are answered.",
  THRESHOLDS_TOO_CLOSE: "The up threshold is below 5 times the down threshold: it would flap.",
  PERIODS_INVALID: "An alarm asks for more breaching periods than it looks at.",
  STEPS_INVALID: "The steps of a shift do not lead from one tier to the other.",
  DEADLINE_TOO_SHORT: "A phase would pass its deadline although nothing has gone wrong.",
  BACKOFF_INVALID: "The first back-off is longer than the longest one.",
  LOAD_INVALID: "A request of `load.requests` cannot be sent or checked as it is described.",
  NODE_TOO_OLD: "The Node.js that runs lambdaflex is too old for it.",
  OPTION_INVALID: "A command line option does not exist or its value is not valid.",
  COMMAND_UNKNOWN: "There is no such lambdaflex command.",
  SETUP_FAILED: "The `setup` command ended with an error or took too long.",
  PORT_IN_USE: "Another program listens on the port already.",
  ADDRESS_FOREIGN: "The page should listen on an address that this machine does not have.",
  SERVICE_COMMAND_NOT_FOUND: "The program that `command` names does not exist.",
  SERVICE_NOT_READY: "The service did not get ready within `readiness.timeoutSeconds`.",
  SERVICE_CRASHED: "The service ended although nobody had stopped it.",
  SERVICE_TIMED_OUT: "The service did not answer a request within `lambda.timeoutSeconds`.",
  SERVICE_ANSWER_INVALID: "The service answered with something that is not HTTP.",
  SERVICE_ANSWER_TOO_LARGE: "The service's answer is larger than the Lambda tier can carry.",
  TRACE_NOT_FOUND: "There is no trace of that name or at that path.",
  TRACE_EMPTY: "The trace has no rows.",
  TRACE_TOO_LARGE: "The trace has more bytes or rows than can be replayed.",
  TRACE_COLUMNS: "A row of the trace has not the two columns timestamp_seconds,requests.",
  TRACE_NEGATIVE: "A row of the trace has a negative number.",
  TRACE_DUPLICATED: "Two rows of the trace have the same time.",
  TRACE_SINGLE_BUCKET: "The trace has one row only, which has no shape.",
  TRACE_NOT_NUMERIC: "A row of the trace is not two finite numbers.",
  TRACE_UNSORTED: "The times of the trace do not ascend.",
  TRACE_GAP: "Rows are missing between two rows of the trace.",
  TRACE_RESOLUTION: "The buckets of the trace have different lengths, or one that fits no minute.",
  TRACE_FORMAT: "The file is no trace, access log or CloudWatch export that is known.",
  TRACE_UNREADABLE: "The trace exists but cannot be read or unpacked to its end.",
  LOG_MIXED: "The access log has lines of two formats.",
  LOG_BROKEN: "More than half of the access log's lines are broken.",
  CLOUDWATCH_SYNTAX: "The CloudWatch export is not valid JSON.",
  CLOUDWATCH_SHAPE: "The JSON is not what CloudWatch's commands print.",
  CLOUDWATCH_INCOMPLETE: "The CloudWatch export is the first page of several.",
  CLOUDWATCH_SERIES: "The CloudWatch export holds more than one metric.",
  CLOUDWATCH_STATISTIC: "The CloudWatch export does not hold sums.",
  SCENARIO_NOT_FOUND: "There is no scenario file at that path.",
  SCENARIO_SYNTAX: "The scenario file is not valid JSON, or not one object.",
  SCENARIO_KEY_UNKNOWN: "A key of the scenario does not exist; the nearest valid one is named.",
  SCENARIO_VALUE_INVALID: "A value of the scenario has the wrong type or is impossible.",
  PRICES_NOT_FOUND: "There is no price file at that path.",
  PRICES_SYNTAX: "The price file is not valid JSON, or holds no price list.",
  PRICES_KEY_UNKNOWN: "A key of a price list does not exist; the nearest valid one is named.",
  PRICES_VALUE_INVALID: "A price has the wrong type, or it is missing or negative.",
  REGION_UNKNOWN: "There are no prices for that region.",
  POLICY_UNKNOWN: "There is no policy of that name.",
  REPORT_UNWRITABLE: "The report cannot be written where it should be.",
  RECORD_NOT_FOUND: "There is no recording at that path, or it cannot be read.",
  RECORD_UNWRITABLE: "The recording cannot be written where it should be.",
  RECORD_FOREIGN: "The file does not begin as a recording does.",
  RECORD_VERSION: "The recording was written by another version of lambdaflex.",
  RECORD_LINE_INVALID: "A line of the recording is not what a run would write.",
  RECORD_TRUNCATED: "The recording breaks off in the middle of a line.",
  LANGUAGE_UNCLEAR: "The folder does not tell in which language the service is written.",
  FOLDER_UNWRITABLE: "A file of a new project cannot be written.",
  AWS_CREDENTIALS_MISSING: "There are no AWS credentials where they are looked for.",
  AWS_CREDENTIALS_EXPIRED: "The AWS credentials are no longer, or not yet, valid.",
  AWS_ACCESS_DENIED: "The AWS credentials do not allow a call that is needed.",
  AWS_REGION_MISSING: "No AWS region is chosen.",
  AWS_FAILED: "AWS refused a call, or failed at it, for reasons of its own.",
  AWS_UNREACHABLE: "AWS does not answer: the region does not exist, or there is no network.",
  CDK_NOT_INSTALLED: "The packages aws-cdk-lib and constructs are not installed.",
  BOOTSTRAP_MISSING: "The account and region are not bootstrapped for the CDK, or too long ago.",
  ZONE_NOT_FOUND: "No public hosted zone of the account covers the domain.",
  DOMAIN_TAKEN: "The domain has records already, which lead elsewhere.",
  DOMAIN_NOT_SIMPLE: "The domain's records have a routing policy, so they are not replaced.",
  CERTIFICATE_INVALID: "The certificate is not issued, or does not cover the domain.",
  CERTIFICATE_REGION: "The certificate is in another region than the service.",
  NAME_TAKEN: "Something in the account has the name already and is not of this service.",
  DOCKER_MISSING: "The docker command does not exist, or no engine answers it.",
  DOCKERFILE_INVALID: "The Dockerfile cannot be read, or is none.",
  OPENAPI_INVALID: "The file is no OpenAPI document in JSON, or describes no request.",
  HAR_INVALID: "The file is no HTTP archive, or holds no request.",
  DOCKERFILE_MISSING: "The folder of the configuration has no Dockerfile.",
  IMAGE_BUILD_FAILED: "The image could not be built.",
  IMAGE_PUSH_FAILED: "The image could not be pushed.",
  IMAGE_NOT_BY_DIGEST: "The image is named by a tag, which may change, or not at all.",
  IMAGE_NOT_IN_ECR: "The image is not in a private ECR repository of the region.",
  IMAGE_NOT_FOUND: "The repository has no image of that digest.",
  IMAGE_PLATFORM: "The image is for another system or processor than the configuration says.",
  IMAGE_UNKNOWN: "This machine has no image of that name.",
  IMAGE_NO_COMMAND: "The image does not say what it starts.",
  TEMPLATE_TOO_LARGE: "A template is larger than CloudFormation takes.",
  STACK_OF_CDK: "The stack belongs to a CDK app of yours, which alone changes and removes it.",
  STACK_STUCK: "A stack is in a state that it does not leave by itself.",
  NETWORK_IN_USE: "A burst runs on parts of the network that the deployment would change.",
  DEPLOYMENT_LOCKED: "Another deployment of the same service is under way.",
  NOT_DEPLOYED: "The service is not deployed in this account and region.",
  PREVIOUS_IMAGE_MISSING: "There is no earlier image to go back to.",
  CONFIRMATION_MISSING: "The command removes something and nobody has agreed to it.",
  NOTHING_RUNNING: "No run on this machine can be asked.",
  STATE_IN_USE: "Another lambdaflex works with the same state file.",
  STATE_UNREADABLE: "The state file is damaged or from another version.",
} as const;

/** A code of `errorCodes`. */
export type ErrorCode = keyof typeof errorCodes;

/** A mistake of the user, worth a code, one message and one hint; never a stack. */
export class UserError extends Error {
  override readonly name = "UserError";
  readonly code: ErrorCode;
  /** What to do about it, a full sentence; may be empty. */
  readonly hint: string;

  constructor(code: ErrorCode, message: string, hint: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }

  /** The text that a terminal shows: `error CODE: message`, then the hint on a line of its own. */
  format(): string {
    const head = `error ${this.code}: ${this.message}`;
    return this.hint === "" ? head : `${head}\nhint: ${this.hint}`;
  }

  override toString(): string {
    return this.format();
  }
}
