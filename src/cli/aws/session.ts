/** Who we are in AWS, and where: asked once, before anything else is. */
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { UserError } from "../../config/errors.ts";
import { asAwsMistake } from "./errors.ts";
import type { AwsOptions } from "./options.ts";

export { type AwsOptions, awsArgs } from "./options.ts";

/** The account, region and identity that a command works with. */
export interface Session {
  readonly account: string;
  readonly region: string;
  readonly partition: string;
  /** ARN of whoever works. */
  readonly arn: string;
}

/** What the SDK's clients need to make few, patient calls. */
export function clientOf({ region }: Pick<Session, "region">): {
  readonly region: string;
  readonly maxAttempts: number;
  readonly requestHandler: {
    readonly connectionTimeout: number;
    readonly requestTimeout: number;
    readonly throwOnRequestTimeout: boolean;
  };
} {
  // An answer that never comes would be waited for until somebody presses Ctrl-C.
  const requestHandler = {
    connectionTimeout: 5_000,
    requestTimeout: 30_000,
    throwOnRequestTimeout: true,
  };
  return { region, maxAttempts: 6, requestHandler };
}

/**
 * The region that is chosen. The options are handed on as environment variables, which both the
 * SDK and the CDK read. Throws UserError AWS_REGION_MISSING.
 */
export async function chosenRegion(options: AwsOptions): Promise<string> {
  if (options.profile !== undefined) process.env.AWS_PROFILE = options.profile;
  const given = options.region ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION;
  const region = given || (await new STSClient({}).config.region().catch(() => ""));
  if (!/^[a-z]{2}(-[a-z]+)+-\d+$/.test(region)) {
    const message = region === "" ? "no AWS region is chosen" : `"${region}" is no AWS region`;
    const hint = "Give --region us-east-1, or set AWS_REGION.";
    throw new UserError("AWS_REGION_MISSING", message, hint);
  }
  process.env.AWS_REGION = region;
  return region;
}

/** Asks AWS who we are. Throws UserError AWS_… without valid credentials. */
export async function openSession(options: AwsOptions): Promise<Session> {
  const region = await chosenRegion(options);
  const client = new STSClient(clientOf({ region }));
  try {
    const { Account = "", Arn = "" } = await client.send(new GetCallerIdentityCommand({}));
    return { account: Account, region, partition: Arn.split(":")[1] ?? "aws", arn: Arn };
  } catch (error) {
    throw asAwsMistake(error);
  } finally {
    client.destroy();
  }
}
