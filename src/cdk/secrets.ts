/** References to secrets: the same text serves the function's bootstrap and the task definition. */

/** An ARN that CloudFormation fills in; what follows it is ours. */
const tokenForm = /^\$\{Token\[[^\]]*\]\}/;

/** Which of the two services may hold a secret; an ARN still unknown may be of either. */
export function secretKinds(base: string): readonly ("secretsmanager" | "ssm")[] {
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
