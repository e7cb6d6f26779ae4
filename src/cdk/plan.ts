/** What the parts of a deployment share while they are made. */
import { type AppProps, Aws, Stack, Token } from "aws-cdk-lib/core";
import type { Construct } from "constructs";
import type { Config } from "../config/index.ts";
import { UserError } from "../config/index.ts";
import type { DeploymentNames } from "../core/deployment.ts";

/** One service to deploy. */
export interface Plan {
  readonly config: Config;
  readonly names: DeploymentNames;
  /** The image by digest; or a parameter, which is checked by CloudFormation. */
  readonly image: string;
  /** The zone of the domain; `null` without a domain. */
  readonly hostedZoneId: string | null;
}

/**
 * An app that is written when it is asked for, without what only the CDK's own command reads. Its
 * validation of templates takes seconds; cfn-lint does the same for every variant in our tests.
 */
export const quietApp: AppProps = {
  autoSynth: false,
  analyticsReporting: false,
  treeMetadata: false,
  builtinCloudFormationValidation: false,
};

/** A statement of a policy as CloudFormation takes it. */
export interface Statement {
  readonly Sid?: string;
  readonly Effect: "Allow";
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Why it holds a wildcard, for those who review it; no part of the policy. */
  readonly why?: string;
}

const digestForm = /@sha256:([0-9a-f]{64})$/;

/** The pattern that the image parameter must match. */
export const imagePattern = "^.+@sha256:[0-9a-f]{64}$";

/** The digest in hexadecimal; `null` for a parameter, whose value is not known yet. */
export function digestOf(image: string): string | null {
  return digestForm.exec(image)?.[1] ?? null;
}

/** Throws UserError unless the image is named by its digest or comes from a parameter. */
export function checkImage(image: string): void {
  if (digestOf(image) !== null) return;
  if (Token.isUnresolved(image) && !/[:@]/.test(image.replace(/\$\{Token\[[^\]]*\]\}/g, "")))
    return;
  throw new UserError(
    "IMAGE_INVALID",
    `the image is ${JSON.stringify(image)}, which names no digest`,
    "Name it as REPOSITORY@sha256:…; a tag may move, and the two tiers would differ.",
  );
}

/** Throws UserError if image or certificate are elsewhere; nothing is known of a stack for any. */
export function checkRegion(scope: Construct, { config, image }: Plan): void {
  const { region } = Stack.of(scope);
  if (Token.isUnresolved(region)) return;
  const ofImage = /\.dkr\.ecr\.([a-z0-9-]+)\./.exec(image)?.[1] ?? region;
  if (ofImage !== region) {
    throw new UserError(
      "IMAGE_INVALID",
      `the image is in ${ofImage}, the stack in ${region}`,
      "Push the image to a repository in the region of the stack: Lambda takes no other.",
    );
  }
  const ofCertificate = /^arn:[^:]+:acm:([a-z0-9-]+):/.exec(config.certificateArn ?? "")?.[1];
  if ((ofCertificate ?? region) !== region) {
    throw new UserError(
      "CERTIFICATE_REGION",
      `the certificate is in ${ofCertificate}, the stack in ${region}`,
      "Leave certificateArn out, and one is made, or name one of the stack's region.",
    );
  }
}

/** An ARN in this account and region. */
export function arn(service: string, resource: string): string {
  return `arn:${Aws.PARTITION}:${service}:${Aws.REGION}:${Aws.ACCOUNT_ID}:${resource}`;
}

/** The stack that a part belongs to, resolved: for hashes of what will be deployed. */
export function resolved(scope: Construct, value: unknown): string {
  return JSON.stringify(Stack.of(scope).resolve(value));
}
