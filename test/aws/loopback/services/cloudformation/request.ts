/** What a request says about a stack: template by text or address, parameters, tags. */
import { findStack, type StackRecord, type StackRequest } from "../../../world/stacks/stack.ts";
import { parseTemplate, TemplateError } from "../../../world/template.ts";
import { arnOf, type World } from "../../../world/world.ts";
import type { AccessRequest } from "../../service.ts";
import { AwsError } from "../../wire/protocol.ts";

/** Members that creating and updating have in common; numbers and truths arrive as text. */
export interface StackInput {
  readonly StackName: string;
  readonly TemplateBody?: string;
  readonly TemplateURL?: string;
  readonly UsePreviousTemplate?: string;
  readonly Parameters?: readonly {
    readonly ParameterKey: string;
    readonly ParameterValue?: string;
    readonly UsePreviousValue?: string;
  }[];
  readonly Tags?: readonly { readonly Key: string; readonly Value: string }[];
  readonly RoleARN?: string;
  readonly ClientRequestToken?: string;
  readonly OnFailure?: "DELETE" | "ROLLBACK" | "DO_NOTHING";
  readonly DisableRollback?: string;
  readonly EnableTerminationProtection?: string;
  readonly Capabilities?: readonly string[];
}

/** Longest template that may be part of the request itself. */
const bodyBytesMax = 51_200;

const refuse = (message: string): AwsError => new AwsError("ValidationError", message);

/** Bucket and key of an S3 address; the bucket is in the host, or first in the path. */
function placeOf(address: string): { readonly bucket: string; readonly key: string } {
  const { hostname, pathname } = new URL(address);
  const path = decodeURIComponent(pathname.slice(1));
  const inHost = /^(.+?)\.s3[.-]/.exec(hostname)?.[1];
  if (inHost !== undefined) return { bucket: inHost, key: path };
  const slash = path.indexOf("/");
  return { bucket: path.slice(0, slash), key: path.slice(slash + 1) };
}

/** The text of a template in a bucket of this account. */
export function templateAt(world: World, address: string): string {
  const { bucket, key } = placeOf(address);
  const body = world.buckets.get(bucket)?.get(key);
  if (!body) throw refuse(`S3 error: The specified key does not exist: ${address}`);
  return body.toString();
}

function bodyOf(world: World, input: StackInput, existing: StackRecord | null): string {
  if (input.UsePreviousTemplate === "true" && existing) return existing.request.templateBody;
  if (input.TemplateURL !== undefined) return templateAt(world, input.TemplateURL);
  const body = input.TemplateBody ?? "";
  if (Buffer.byteLength(body) > bodyBytesMax) {
    throw refuse("1 validation error detected: Value at 'templateBody' is too long");
  }
  return body;
}

/** Reads a request; refuses what CloudFormation would refuse at once. */
export function stackRequest(
  world: World,
  input: StackInput,
  existing: StackRecord | null,
): StackRequest {
  const templateBody = bodyOf(world, input, existing);
  const parameters: Record<string, string> = {};
  for (const { ParameterKey, ParameterValue, UsePreviousValue } of input.Parameters ?? []) {
    const previous = existing?.request.parameters[ParameterKey];
    const value = UsePreviousValue === "true" ? previous : ParameterValue;
    if (value !== undefined) parameters[ParameterKey] = value;
  }
  try {
    const template = parseTemplate(templateBody);
    return {
      templateBody,
      template,
      parameters,
      // An update that says nothing of tags leaves them.
      tags: input.Tags
        ? Object.fromEntries(input.Tags.map(({ Key, Value }) => [Key, Value]))
        : (existing?.request.tags ?? {}),
      roleArn: input.RoleARN ?? existing?.request.roleArn ?? "",
      token: input.ClientRequestToken ?? "",
      capabilities: input.Capabilities ?? [],
      onFailure: input.DisableRollback === "true" ? "DO_NOTHING" : (input.OnFailure ?? "ROLLBACK"),
    };
  } catch (error) {
    if (error instanceof TemplateError) throw refuse(error.message);
    throw error;
  }
}

/** The stack that an operation is about; CloudFormation calls a missing one a ValidationError. */
export function requireStack(world: World, nameOrId: string): StackRecord {
  const stack = findStack(world, nameOrId);
  if (!stack) throw noSuchStack(nameOrId);
  return stack;
}

/** The error for a stack that does not exist, or not yet for those who ask. */
export function noSuchStack(nameOrId: string): AwsError {
  return refuse(`Stack with id ${nameOrId} does not exist`);
}

/** ARN of a stack that may not exist yet, as IAM sees it. */
export function stackArn(world: World, nameOrId: string): string {
  if (nameOrId.startsWith("arn:")) return nameOrId;
  return findStack(world, nameOrId)?.id ?? arnOf(world, "cloudformation", `stack/${nameOrId}/*`);
}

/** What IAM asks about an operation on a stack, with what it implies. */
export function stackAccess(action: string) {
  return (input: StackInput, world: World): readonly AccessRequest[] => {
    const resource = stackArn(world, input.StackName);
    const context: Record<string, string> = {};
    if (input.RoleARN !== undefined) context["cloudformation:RoleArn"] = input.RoleARN;
    if (input.TemplateURL !== undefined) context["cloudformation:TemplateUrl"] = input.TemplateURL;
    const asked: AccessRequest[] = [{ action: `cloudformation:${action}`, resource, context }];
    if (input.RoleARN !== undefined) {
      const passed = { "iam:PassedToService": "cloudformation.amazonaws.com" };
      asked.push({ action: "iam:PassRole", resource: input.RoleARN, context: passed });
    }
    if ((input.Tags ?? []).length > 0) {
      asked.push({ action: "cloudformation:TagResource", resource, context: {} });
    }
    if (input.TemplateURL !== undefined) {
      asked.push({ action: "s3:GetObject", resource: objectArn(input.TemplateURL), context: {} });
    }
    return asked;
  };
}

function objectArn(address: string): string {
  const { bucket, key } = placeOf(address);
  return `arn:aws:s3:::${bucket}/${key}`;
}
