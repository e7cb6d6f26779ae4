/** What a deployment to AWS needs beyond the tiers: front door, names, network, notices. */
import { z } from "zod";
import type { Config, ConfigInput } from "../types.ts";
import { wholeSecretArn } from "./access.ts";
import { type Field, type Section, whole } from "./field.ts";

/** What stands in front of the Lambda tier. */
export const frontDoor: Field<Config["frontDoor"]> = z
  .enum(["http", "rest"])
  .default("http")
  .describe(
    "API in front of Lambda: http is cheaper; rest keeps encoded paths such as /a%2Fb and ends " +
      "answers after 29 s.",
  );

/** The zone that holds the domain. */
export const hostedZoneId: Field<Config["hostedZoneId"]> = z
  .string()
  .regex(/^Z[A-Z0-9]{1,31}$/, "the id of a hosted zone such as Z0123456789ABCDEFGHIJ")
  .nullable()
  .default(null)
  .describe("Route 53 zone of `domain`; null means that `lambdaflex deploy` looks it up.")
  .meta({ examples: ["Z0123456789ABCDEFGHIJ"] });

/** A certificate that exists already. */
export const certificateArn: Field<Config["certificateArn"]> = z
  .string()
  .regex(
    /^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[0-9a-f-]{36}$/,
    "the ARN of a certificate of ACM",
  )
  .nullable()
  .default(null)
  .describe("Certificate of `domain` in the service's region; null means one is made, for free.");

/** What is kept, and for how long. */
export const logRetentionDays: Field<Config["logRetentionDays"]> = z
  .literal([1, 3, 7, 14, 30, 60, 90, 180, 365])
  .default(30)
  .describe("Days that the logs of the service and of the controller are kept.");

/** The dashboard is free until an account has more than three. */
export const dashboard: Field<Config["dashboard"]> = z
  .boolean()
  .default(true)
  .describe("Whether CloudWatch gets a dashboard of both tiers; three of an account are free.");

/** What the front door lets through. */
export const throttle: Section<Config["throttle"], ConfigInput["throttle"]> = z
  .strictObject({
    requestsPerSecond: whole(1, 100_000, 10_000, "Requests a second on average."),
    burst: whole(1, 100_000, 5000, "Requests at once above that."),
  })
  .prefault({})
  .describe("What the API in front of Lambda lets through; more is answered with 429.");

const idList = (prefix: string, max: number, sentence: string): Field<readonly string[]> =>
  z
    .array(z.string().regex(new RegExp(`^${prefix}-[0-9a-f]{8,17}$`), `an id such as ${prefix}-…`))
    .max(max)
    .default([])
    .describe(sentence);

/** Where the service runs. */
export const network: Section<Config["network"], ConfigInput["network"]> = z
  .strictObject({
    tasks: z
      .enum(["public", "private"])
      .default("public")
      .describe(
        "public gives each task an address that only the balancer reaches; private none, and a " +
          "NAT gateway during bursts.",
      ),
    natGateways: whole(
      1,
      2,
      1,
      "NAT gateways of private tasks, 0.045 USD an hour each; 2 survive the loss of a zone.",
    ),
    vpcId: z
      .string()
      .regex(/^vpc-[0-9a-f]{8,17}$/, "the id of a VPC such as vpc-…")
      .nullable()
      .default(null)
      .describe("VPC that both tiers join, for a database; null means none."),
    subnetIds: idList("subnet", 16, "Private subnets of that VPC that the service runs in."),
    balancerSubnetIds: idList("subnet", 16, "Public subnets of that VPC for the balancer."),
    securityGroupIds: idList(
      "sg",
      4,
      "Security groups that the service belongs to in that VPC, on both tiers.",
    ),
  })
  .prefault({})
  .describe("Where the service runs.");

/** Who hears of transitions and failures. */
export const notifications: Section<Config["notifications"], ConfigInput["notifications"]> = z
  .strictObject({
    emails: z
      .array(z.email({ error: "an e-mail address" }))
      .max(10)
      .default([])
      .describe("Addresses that hear of transitions and failures; each must confirm once."),
    webhook: z
      .string()
      .regex(
        wholeSecretArn,
        "the ARN of a parameter of Systems Manager, or of a secret of Secrets Manager with no key",
      )
      .nullable()
      .default(null)
      .describe("Secret or parameter that holds the address that events are posted to."),
  })
  .prefault({})
  .describe("Who hears of transitions and failures.");
