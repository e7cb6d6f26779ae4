/** Lambda: what an alias runs, and how much of it may run. */
import { arnOf, digestOfImage, type LambdaFunction, type World } from "../../../world/world.ts";
import { type AccessRequest, access, operation, type Service } from "../../service.ts";
import { AwsError } from "../../wire/protocol.ts";
import { restJson } from "../../wire/rest.ts";

interface FunctionInput {
  readonly FunctionName: string;
  readonly Qualifier?: string;
  readonly Name?: string;
}

const missing = (what: string): AwsError =>
  new AwsError("ResourceNotFoundException", `${what} not found`, 404);

/** A function by name, `name:qualifier` or ARN, with the version that the qualifier means. */
function find(input: FunctionInput, world: World): { found: LambdaFunction; version: string } {
  const given = input.FunctionName;
  const parts = given.startsWith("arn:") ? given.split(":").slice(6) : given.split(":");
  const [name = "", own] = parts;
  const found = world.functions.get(name);
  if (!found) throw missing(`Function ${given}`);
  const qualifier = input.Qualifier ?? own ?? "$LATEST";
  const version = found.aliases.get(qualifier) ?? qualifier;
  if (!found.versions.has(version)) throw missing(`Function ${given}:${qualifier}`);
  return { found, version };
}

function describe(input: FunctionInput, world: World): object {
  const { found, version } = find(input, world);
  const { imageUri, properties } = found.versions.get(version) ?? { imageUri: "", properties: {} };
  const isImage = imageUri !== "";
  return {
    Configuration: {
      FunctionName: found.name,
      FunctionArn: input.Qualifier ? `${found.arn}:${input.Qualifier}` : found.arn,
      Version: version,
      State: "Active",
      LastUpdateStatus: "Successful",
      PackageType: isImage ? "Image" : "Zip",
      MemorySize: properties.MemorySize === undefined ? 128 : Number(properties.MemorySize),
      Architectures: properties.Architectures ?? ["x86_64"],
      Environment: { Variables: found.environment },
    },
    Code: isImage
      ? {
          RepositoryType: "ECR",
          ImageUri: imageUri,
          ResolvedImageUri: `${imageUri.split("@")[0]?.split(":")[0]}@${digestOfImage(imageUri)}`,
        }
      : { RepositoryType: "S3" },
    ...(found.reserved !== null && {
      Concurrency: { ReservedConcurrentExecutions: found.reserved },
    }),
  };
}

const accessTo =
  (action: string) =>
  (input: FunctionInput, world: World): readonly AccessRequest[] => {
    const [name = "", own] = input.FunctionName.split(":").slice(-2);
    const given = input.FunctionName.includes(":") ? { name, own } : { name, own: undefined };
    const qualifier = input.Qualifier ?? given.own;
    const suffix = qualifier === undefined ? "" : `:${qualifier}`;
    return access(`lambda:${action}`, arnOf(world, "lambda", `function:${given.name}${suffix}`));
  };

const functions = "/2015-03-31/functions/{FunctionName}";

/** The service. */
export const lambda: Service = {
  scope: "lambda",
  protocol: restJson([
    { action: "GetAlias", method: "GET", path: `${functions}/aliases/{Name}` },
    { action: "GetFunctionConfiguration", method: "GET", path: `${functions}/configuration` },
    { action: "GetFunction", method: "GET", path: functions },
    { action: "Invoke", method: "POST", path: `${functions}/invocations` },
    { action: "GetAccountSettings", method: "GET", path: "/2016-08-19/account-settings" },
  ]),
  operations: {
    GetFunction: operation<FunctionInput>(describe, accessTo("GetFunction")),
    GetFunctionConfiguration: operation<FunctionInput>(
      (input, world) => (describe(input, world) as { Configuration: object }).Configuration,
      accessTo("GetFunctionConfiguration"),
    ),
    GetAlias: operation<FunctionInput>((input, world) => {
      const name = input.Name ?? "";
      const { found } = find({ FunctionName: input.FunctionName }, world);
      const version = found.aliases.get(name);
      if (version === undefined) throw missing(`Alias ${name}`);
      return { AliasArn: `${found.arn}:${name}`, Name: name, FunctionVersion: version };
    }, accessTo("GetAlias")),
    Invoke: operation<FunctionInput>((input, world) => {
      const { found } = find({ FunctionName: input.FunctionName }, world);
      world.onInvoke(found.name);
      return {};
    }, accessTo("InvokeFunction")),
    GetAccountSettings: operation<object>(
      (_input, world) => ({
        AccountLimit: {
          ConcurrentExecutions: world.concurrencyQuota,
          UnreservedConcurrentExecutions: world.concurrencyQuota,
        },
        AccountUsage: { FunctionCount: world.functions.size },
      }),
      () => access("lambda:GetAccountSettings", "*"),
    ),
  },
};
