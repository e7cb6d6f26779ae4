/** References to secrets: the same text serves the function's bootstrap and the task definition. */
import { Aws } from "aws-cdk-lib/core";
import { arn } from "./plan.ts";

/** An ARN that CloudFormation fills in; what follows it is ours. */
const tokenForm = /^\$\{Token\[[^\]]*\]\}/;

/** The services that hold secrets. */
export type SecretKind = "secretsmanager" | "ssm";

/** Which of the two services may hold a secret; an ARN still unknown may be of either. */
export function secretKinds(base: string): readonly SecretKind[] {
  if (tokenForm.test(base)) return ["secretsmanager", "ssm"];
  return base.includes(":ssm:") ? ["ssm"] : ["secretsmanager"];
}

/**
 * The ARN that a permission is given for: `…:secret:NAME-SUFFIX:KEY:STAGE:VERSION` without what
 * follows the name. Parameters of Systems Manager have nothing to take away.
 */
export function secretBase(reference: string): string {
  const token = tokenForm.exec(reference)?.[0];
  if (token !== undefined) return token;
  const parts = reference.split(":");
  return parts[2] === "secretsmanager" ? parts.slice(0, 7).join(":") : reference;
}

/**
 * The form that ECS asks for: everything after the name of a secret is there or nothing is, so
 * `…:NAME:KEY` becomes `…:NAME:KEY::`.
 */
export function secretForTask(reference: string): string {
  const base = secretBase(reference);
  const rest = reference.slice(base.length);
  return rest === ""
    ? reference
    : `${base}:${[...rest.split(":"), "", "", ""].slice(1, 4).join(":")}`;
}

/** The form that CloudFormation replaces by the value: `{{resolve:secretsmanager:ARN:…}}`. */
export function secretAtDeploy(reference: string): string {
  const base = secretBase(reference);
  const [, key = "", stage = "", version = ""] = reference.slice(base.length).split(":");
  return `{{resolve:secretsmanager:${base}:SecretString:${key}:${stage}:${version}}}`;
}

/** Keys of KMS in this account and region. */
export const anyKey: string = arn("kms", "key/*");

/** Why no key is named. */
export const keyUnknown = "Only a secret says which key it has; the condition names the secrets.";

/** What the two services tell KMS of what is decrypted. */
const contextKeys = { secretsmanager: "SecretARN", ssm: "PARAMETER_ARN" } as const;

/** What must equal so that `kms:Decrypt` serves to read these secrets and nothing else. */
export function decryptsOnly(
  kind: SecretKind,
  secrets: readonly string[],
): Readonly<Record<string, string | readonly string[]>> {
  return {
    "kms:ViaService": `${kind}.${Aws.REGION}.${Aws.URL_SUFFIX}`,
    [`kms:EncryptionContext:${contextKeys[kind]}`]: secrets,
  };
}
