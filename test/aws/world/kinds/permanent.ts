/** What the base stack is made of: functions, tables, topics, roles, log groups, alarms, APIs. */
import { type AlarmProperties, putAlarm } from "../alarms.ts";
import { type Json, listOf, objectOf, textOf } from "../json.ts";
import { arnOf, type LambdaFunction } from "../world.ts";
import type { Kind, ResourceAt } from "./kind.ts";

const lambdaFunction: Kind = {
  createMs: () => 4_000,
  create({ world, resource, properties }) {
    const name = textOf(properties.FunctionName) || `${resource.logicalId}-${world.uniqueId(8)}`;
    if (world.functions.has(name)) throw new Error(`Function already exist: ${name}`);
    const arn = arnOf(world, "lambda", `function:${name}`);
    const made: LambdaFunction = {
      name,
      arn,
      versions: new Map([["$LATEST", versionOf(properties)]]),
      aliases: new Map(),
      environment: environmentOf(properties),
      reserved: null,
    };
    world.functions.set(name, made);
    return { physicalId: name, arn, attributes: { Arn: arn } };
  },
  update({ world, resource, properties }) {
    const found = world.functions.get(resource.physicalId);
    if (!found) throw new Error(`Function not found: ${resource.physicalId}`);
    found.versions.set("$LATEST", versionOf(properties));
    found.environment = environmentOf(properties);
  },
  remove({ world, resource }) {
    world.functions.delete(resource.physicalId);
  },
};

const versionOf = (
  properties: Readonly<Record<string, Json>>,
): { imageUri: string; properties: Readonly<Record<string, Json>> } => ({
  imageUri: textOf(objectOf(properties.Code).ImageUri),
  properties,
});

/** Bytes that Lambda allows for all variables of a function. */
const environmentBytesMax = 4096;

function environmentOf(properties: Readonly<Record<string, Json>>): Record<string, string> {
  const variables = objectOf(objectOf(properties.Environment).Variables);
  if (Buffer.byteLength(JSON.stringify(variables)) > environmentBytesMax) {
    throw new Error("Lambda was unable to configure your environment variables: over 4KB limit");
  }
  return Object.fromEntries(Object.entries(variables).map(([key, value]) => [key, textOf(value)]));
}

/** A function by its name, its ARN, or the ARN of one of its versions. */
function functionOf({ world, properties }: ResourceAt): LambdaFunction {
  const given = textOf(properties.FunctionName);
  const name = given.startsWith("arn:") ? (given.split(":")[6] ?? "") : (given.split(":")[0] ?? "");
  const found = world.functions.get(name);
  if (!found) throw new Error(`Function not found: ${given}`);
  return found;
}

const version: Kind = {
  create(at) {
    const found = functionOf(at);
    const latest = found.versions.get("$LATEST");
    const number = String(found.versions.size);
    if (latest) found.versions.set(number, latest);
    const arn = `${found.arn}:${number}`;
    return { physicalId: arn, attributes: { Version: number, FunctionArn: arn } };
  },
};

const alias: Kind = {
  create(at) {
    const found = functionOf(at);
    const name = textOf(at.properties.Name);
    found.aliases.set(name, textOf(at.properties.FunctionVersion));
    const arn = `${found.arn}:${name}`;
    return { physicalId: arn, attributes: { AliasArn: arn } };
  },
  update(at) {
    functionOf(at).aliases.set(textOf(at.properties.Name), textOf(at.properties.FunctionVersion));
  },
};

const table: Kind = {
  createMs: () => 10_000,
  create({ world, resource, properties }) {
    const name = textOf(properties.TableName) || `${resource.logicalId}-${world.uniqueId(12)}`;
    if (world.tables.has(name)) throw new Error(`Table already exists: ${name}`);
    const keys = listOf(properties.KeySchema).map((key) => textOf(objectOf(key).AttributeName));
    world.tables.set(name, { name, keys, items: new Map() });
    const arn = arnOf(world, "dynamodb", `table/${name}`);
    return { physicalId: name, arn, attributes: { Arn: arn } };
  },
  update: () => undefined,
  remove({ world, resource }) {
    world.tables.delete(resource.physicalId);
  },
};

const topic: Kind = {
  create({ world, resource, properties }) {
    const name = textOf(properties.TopicName) || `${resource.logicalId}-${world.uniqueId(12)}`;
    const arn = arnOf(world, "sns", name);
    return { physicalId: arn, arn, attributes: { TopicArn: arn, TopicName: name } };
  },
  update: () => undefined,
};

const role: Kind = {
  createMs: () => 8_000,
  create({ world, stack, resource, properties }) {
    const name =
      textOf(properties.RoleName) || `${stack.name}-${resource.logicalId}-${world.uniqueId(12)}`;
    const arn = arnOf(world, "iam", `role/${name}`);
    const policies = new Map<string, unknown>();
    for (const policy of listOf(properties.Policies)) {
      policies.set(textOf(objectOf(policy).PolicyName), objectOf(policy).PolicyDocument);
    }
    world.roles.set(name, { name, arn, trust: properties.AssumeRolePolicyDocument, policies });
    const attributes = { Arn: arn, RoleId: `AROA${world.uniqueId(16).toUpperCase()}` };
    return { physicalId: name, attributes };
  },
  update({ world, resource, properties }) {
    const found = world.roles.get(resource.physicalId);
    for (const policy of listOf(properties.Policies)) {
      found?.policies.set(textOf(objectOf(policy).PolicyName), objectOf(policy).PolicyDocument);
    }
  },
  remove({ world, resource }) {
    world.roles.delete(resource.physicalId);
  },
};

const policy: Kind = {
  createMs: () => 8_000,
  create(at) {
    attach(at);
    return { physicalId: textOf(at.properties.PolicyName) };
  },
  update: attach,
  remove({ world, properties }) {
    for (const name of listOf(properties.Roles).map(textOf)) {
      world.roles.get(name)?.policies.delete(textOf(properties.PolicyName));
    }
  },
};

function attach({ world, properties }: ResourceAt): void {
  for (const name of listOf(properties.Roles).map(textOf)) {
    const found = world.roles.get(name);
    found?.policies.set(textOf(properties.PolicyName), properties.PolicyDocument);
  }
}

const logGroup: Kind = {
  create({ world, resource, properties }) {
    const name = textOf(properties.LogGroupName) || `${resource.logicalId}-${world.uniqueId(8)}`;
    if (world.logGroups.has(name)) throw new Error(`Resource ${name} already exists`);
    world.logGroups.set(name, []);
    const arn = arnOf(world, "logs", `log-group:${name}`);
    return { physicalId: name, arn, attributes: { Arn: `${arn}:*` } };
  },
  update: () => undefined,
  remove({ world, resource }) {
    world.logGroups.delete(resource.physicalId);
  },
};

const alarm: Kind = {
  create({ world, resource, properties }) {
    const name = textOf(properties.AlarmName) || `${resource.logicalId}-${world.uniqueId(8)}`;
    const record = putAlarm(world, asAlarm({ ...properties, AlarmName: name }));
    return { physicalId: name, arn: record.arn, attributes: { Arn: record.arn } };
  },
  update({ world, resource, properties }) {
    putAlarm(world, asAlarm({ ...properties, AlarmName: resource.physicalId }));
  },
  remove({ world, resource }) {
    world.alarms.delete(resource.physicalId);
  },
};

const asAlarm = (properties: Readonly<Record<string, Json>>): AlarmProperties =>
  properties as unknown as AlarmProperties;

const schedule: Kind = {
  create({ world, resource, properties }) {
    const name = textOf(properties.Name) || `${resource.logicalId}-${world.uniqueId(8)}`;
    world.schedules.set(name, { state: textOf(properties.State) || "ENABLED" });
    const attributes = { Arn: arnOf(world, "scheduler", `schedule/default/${name}`) };
    return { physicalId: name, attributes };
  },
  update: () => undefined,
  remove({ world, resource }) {
    world.schedules.delete(resource.physicalId);
  },
};

const apiV2: Kind = {
  create({ world }) {
    const id = world.uniqueId(10);
    const endpoint = `https://${id}.execute-api.${world.region}.amazonaws.com`;
    const arn = `arn:aws:apigateway:${world.region}::/apis/${id}`;
    return { physicalId: id, arn, attributes: { ApiId: id, ApiEndpoint: endpoint } };
  },
  update: () => undefined,
};

const restApi: Kind = {
  create({ world }) {
    const id = world.uniqueId(10);
    const arn = `arn:aws:apigateway:${world.region}::/restapis/${id}`;
    return { physicalId: id, arn, attributes: { RestApiId: id, RootResourceId: "root" } };
  },
  update: () => undefined,
};

const domainName: Kind = {
  createMs: () => 20_000,
  create({ world, properties }) {
    const name = textOf(properties.DomainName);
    const target = `d-${world.uniqueId(10)}.execute-api.${world.region}.amazonaws.com`;
    const zone = "Z1UJRXOUMOOFQ8";
    const attributes = {
      RegionalDomainName: target,
      RegionalHostedZoneId: zone,
      DomainNameArn: `arn:aws:apigateway:${world.region}::/domainnames/${name}`,
    };
    return { physicalId: name, attributes };
  },
  update: () => undefined,
};

const certificate: Kind = {
  createMs: () => 90_000,
  create({ world, properties }) {
    const arn = arnOf(world, "acm", `certificate/${world.uniqueId(36)}`);
    world.certificates.push({ arn, domain: textOf(properties.DomainName), status: "ISSUED" });
    return { physicalId: arn, arn };
  },
};

const custom: Kind = {
  create(at) {
    ask(at, "Create");
    return { physicalId: `${at.resource.logicalId}-${at.world.uniqueId(8)}` };
  },
  update: (at) => ask(at, "Update"),
  remove: (at) => ask(at, "Delete"),
};

function ask(at: ResourceAt, requestType: "Create" | "Update" | "Delete"): void {
  const { type, logicalId } = at.resource;
  const request = { requestType, type, logicalId, properties: at.properties };
  const failure = at.world.onCustomResource(request);
  if (failure !== null) throw new Error(`Received response status [FAILED]: ${failure}`);
}

/** Whatever has no behaviour of its own here: it exists, has a name and an ARN. */
export const plainKind: Kind = {
  create({ world, stack, resource, properties }) {
    const [, service = "", type = ""] = resource.type.split("::");
    const id = `${stack.name}-${resource.logicalId}-${world.uniqueId(8)}`;
    const named = textOf(properties.Name) || id;
    const arn = arnOf(world, service.toLowerCase(), `${type.toLowerCase()}/${named}`);
    return { physicalId: named, arn, attributes: { Arn: arn, Id: id, Name: named } };
  },
  update: () => undefined,
};

/** Network pieces: `Ref` and the id attribute are the same. */
function network(prefix: string, ...attributes: readonly string[]): Kind {
  return {
    create({ world }) {
      const id = `${prefix}-${world.uniqueId(17)}`;
      const arn = arnOf(world, "ec2", `${prefix}/${id}`);
      const own = Object.fromEntries(attributes.map((name) => [name, id]));
      return { physicalId: id, arn, attributes: own };
    },
    update: () => undefined,
  };
}

/** Types by name. */
export const permanentKinds: Readonly<Record<string, Kind>> = {
  "AWS::Lambda::Function": lambdaFunction,
  "AWS::Lambda::Version": version,
  "AWS::Lambda::Alias": alias,
  "AWS::DynamoDB::Table": table,
  "AWS::SNS::Topic": topic,
  "AWS::IAM::Role": role,
  "AWS::IAM::Policy": policy,
  "AWS::Logs::LogGroup": logGroup,
  "AWS::CloudWatch::Alarm": alarm,
  "AWS::Scheduler::Schedule": schedule,
  "AWS::ApiGatewayV2::Api": apiV2,
  "AWS::ApiGateway::RestApi": restApi,
  "AWS::ApiGatewayV2::DomainName": domainName,
  "AWS::ApiGateway::DomainName": domainName,
  "AWS::CertificateManager::Certificate": certificate,
  "AWS::CloudFormation::CustomResource": custom,
  "AWS::EC2::VPC": network("vpc", "VpcId"),
  "AWS::EC2::Subnet": network("subnet", "SubnetId"),
  "AWS::EC2::SecurityGroup": network("sg", "GroupId", "Id"),
  "AWS::EC2::InternetGateway": network("igw", "InternetGatewayId"),
  "AWS::EC2::RouteTable": network("rtb", "RouteTableId"),
  "AWS::EC2::EIP": network("elastic-ip", "AllocationId"),
};

/** The kind of a custom resource. */
export const customKind: Kind = custom;
