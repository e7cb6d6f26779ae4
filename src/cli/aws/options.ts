/** The options of every command that talks to AWS; nothing of AWS is loaded for them. */

/** Where and as whom. */
export const awsArgs = {
  region: {
    type: "string",
    valueHint: "REGION",
    description: "AWS region; default AWS_REGION, else the profile's",
  },
  profile: {
    type: "string",
    valueHint: "NAME",
    description: "Profile of the AWS configuration; default AWS_PROFILE",
  },
} as const;

/** What was given for them. */
export interface AwsOptions {
  readonly region?: string | undefined;
  readonly profile?: string | undefined;
}
