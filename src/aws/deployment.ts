/** What the controller was told about its deployment, read from its variables and checked. */
import { createHash } from "node:crypto";
import {
  type ControllerVariables,
  type DeploymentNames,
  deploymentNames,
  type FrontDoor,
  type FrontDoorMetrics,
  frontDoorMetrics,
} from "../core/deployment.ts";

/** Where the domain is and what its Lambda record points to. */
export interface DomainFacts {
  readonly name: string;
  readonly zoneId: string;
  readonly apiTarget: string;
  readonly apiTargetZone: string;
}

/** A deployment as the controller and the command line work with it. */
export interface Deployment {
  readonly app: string;
  readonly names: DeploymentNames;
  readonly table: string;
  readonly frontDoor: FrontDoor;
  readonly apiMetrics: FrontDoorMetrics;
  readonly apiUrl: URL;
  /** `null` without a domain: then traffic cannot be moved, and the controller never bursts. */
  readonly domain: DomainFacts | null;
  readonly templateUrl: string;
  readonly burstRoleArn: string;
  readonly burstParameters: Readonly<Record<string, string>>;
  /** Tells whether a standing burst stack is made from this template and these parameters. */
  readonly blueprint: string;
  readonly taskDefinition: string;
  /** Digest that `taskDefinition` runs. */
  readonly digest: string;
  readonly topic: string;
  /** Where the webhook's address is kept; `null` for none. */
  readonly webhook: string | null;
}

/** Variables by name, as a process or a function has them. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** What each variable must look like; an empty pattern part allows the empty text. */
const patterns: Readonly<Record<Exclude<keyof ControllerVariables, "LAMBDAFLEX_CONFIG">, RegExp>> =
  {
    LAMBDAFLEX_APP: /^[a-z][a-z0-9-]{0,14}$/,
    LAMBDAFLEX_TABLE: /^[\w.-]{3,255}$/,
    LAMBDAFLEX_FRONT_DOOR: /^(http|rest)$/,
    LAMBDAFLEX_API_ID: /^[\w-]{1,64}$/,
    LAMBDAFLEX_DOMAIN: /^([a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+)?$/,
    LAMBDAFLEX_HOSTED_ZONE_ID: /^[A-Z0-9]{0,32}$/,
    LAMBDAFLEX_API_TARGET: /^[\w.-]{0,255}$/,
    LAMBDAFLEX_API_TARGET_ZONE: /^[A-Z0-9]{0,32}$/,
    LAMBDAFLEX_API_URL: /^https?:\/\/\S{1,300}$/,
    LAMBDAFLEX_BURST_TEMPLATE_URL: /^(https?:\/\/\S{1,1000})?$/,
    LAMBDAFLEX_BURST_ROLE_ARN: /^(arn:[\w-]+:iam::\d{12}:role\/\S{1,512})?$/,
    LAMBDAFLEX_BURST_PARAMETERS: /^\{.{0,4000}\}$/s,
    LAMBDAFLEX_TASK_DEFINITION: /^(arn:[\w-]+:ecs:\S{1,300})?$/,
    LAMBDAFLEX_DIGEST: /^sha256:[0-9a-f]{64}$/,
    LAMBDAFLEX_TOPIC: /^(arn:[\w-]+:sns:\S{1,300})?$/,
    LAMBDAFLEX_WEBHOOK: /^([\w./-]{1,1000}|arn:[\w-]+:(ssm|secretsmanager):\S{1,300})?$/,
  };

/** Without these nothing can be moved, so they are only missed where there is a domain. */
const neededForDomain = [
  "LAMBDAFLEX_HOSTED_ZONE_ID",
  "LAMBDAFLEX_API_TARGET",
  "LAMBDAFLEX_API_TARGET_ZONE",
  "LAMBDAFLEX_BURST_TEMPLATE_URL",
  "LAMBDAFLEX_BURST_ROLE_ARN",
  "LAMBDAFLEX_TASK_DEFINITION",
] as const;

/** Reads and checks the variables. Throws an Error that names every one that is wrong. */
export function readDeployment(variables: Variables): Deployment {
  const read = (name: keyof ControllerVariables): string => variables[name] ?? "";
  const wrong = Object.entries(patterns)
    .filter(([name, pattern]) => !pattern.test(read(name as keyof ControllerVariables)))
    .map(([name]) => name);
  const domain = read("LAMBDAFLEX_DOMAIN");
  const missing = domain === "" ? [] : neededForDomain.filter((name) => read(name) === "");
  if (!URL.canParse(read("LAMBDAFLEX_API_URL"))) wrong.push("LAMBDAFLEX_API_URL");
  const parameters = parametersOf(read("LAMBDAFLEX_BURST_PARAMETERS"));
  const problems = new Set<string>([...wrong, ...missing]);
  if (parameters === null) problems.add("LAMBDAFLEX_BURST_PARAMETERS");
  if (parameters === null || problems.size > 0) {
    throw new Error(
      `variables of the controller are missing or wrong: ${[...problems].join(", ")}`,
    );
  }
  const app = read("LAMBDAFLEX_APP");
  const frontDoor = read("LAMBDAFLEX_FRONT_DOOR") as FrontDoor;
  const templateUrl = read("LAMBDAFLEX_BURST_TEMPLATE_URL");
  return {
    app,
    names: deploymentNames(app),
    table: read("LAMBDAFLEX_TABLE"),
    frontDoor,
    apiMetrics: frontDoorMetrics(app, frontDoor, read("LAMBDAFLEX_API_ID")),
    apiUrl: new URL(read("LAMBDAFLEX_API_URL")),
    domain:
      domain === ""
        ? null
        : {
            name: domain,
            zoneId: read("LAMBDAFLEX_HOSTED_ZONE_ID"),
            apiTarget: read("LAMBDAFLEX_API_TARGET"),
            apiTargetZone: read("LAMBDAFLEX_API_TARGET_ZONE"),
          },
    templateUrl,
    burstRoleArn: read("LAMBDAFLEX_BURST_ROLE_ARN"),
    burstParameters: parameters,
    blueprint: blueprintOf(templateUrl, parameters),
    taskDefinition: read("LAMBDAFLEX_TASK_DEFINITION"),
    digest: read("LAMBDAFLEX_DIGEST"),
    topic: read("LAMBDAFLEX_TOPIC"),
    webhook: read("LAMBDAFLEX_WEBHOOK") || null,
  };
}

/** The URL holds the hash of the template, so it stands for all that is written there. */
function blueprintOf(templateUrl: string, parameters: Readonly<Record<string, string>>): string {
  const inputs = Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify([templateUrl, inputs]);
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

function parametersOf(text: string): Readonly<Record<string, string>> | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
    const texts = Object.values(value).every((one) => typeof one === "string");
    return texts ? (value as Record<string, string>) : null;
  } catch {
    return null;
  }
}
