/** Every kind of deployment that the configuration can describe, and templates of it in memory. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type SynthOptions, synthesise } from "../../src/cdk/index.ts";
import { type Config, type ConfigInput, parseConfig } from "../../src/config/index.ts";

/** A deployment with a name that says what it is. */
export interface Variant {
  readonly name: string;
  readonly input: Partial<ConfigInput>;
  /** Whether the image is known, or a parameter of the template. */
  readonly image?: string;
}

/** An image as `lambdaflex deploy` pushes it. */
export const image: string = [
  "111122223333.dkr.ecr.eu-west-1.amazonaws.com/lambdaflex/shop@sha256:",
  "4f".repeat(32),
].join("");

/** A network that somebody else made. */
export const ownNetwork: NonNullable<ConfigInput["network"]> = {
  tasks: "private",
  vpcId: "vpc-0123456789abcdef0",
  subnetIds: ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
  balancerSubnetIds: ["subnet-0123456789abcdef2", "subnet-0123456789abcdef3"],
  securityGroupIds: ["sg-0123456789abcdef0"],
};

/** References of both kinds. */
export const secrets: Readonly<Record<string, string>> = {
  DB_PASSWORD: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf:password",
  API_KEY: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:key-AbCdEf",
  TOKEN: "arn:aws:ssm:eu-west-1:111122223333:parameter/shop/token",
};

/** Standby × front door × domain × tasks × architecture, and what stands apart from that. */
export const variants: readonly Variant[] = [
  ...(["warm", "cold"] as const).flatMap((standby) =>
    (["http", "rest"] as const).flatMap((frontDoor) =>
      (["api.example.com", null] as const).flatMap((domain) =>
        (["public", "private"] as const).flatMap((tasks) =>
          (["arm64", "x86_64"] as const).map((architecture): Variant => {
            const words = [standby, frontDoor, domain ? "domain" : "none", tasks, architecture];
            const input = {
              standby,
              frontDoor,
              domain,
              network: { tasks },
              lambda: { architecture },
            };
            return { name: words.join(" "), input, image };
          }),
        ),
      ),
    ),
  ),
  { name: "image and zone as parameters", input: { domain: "api.example.com" } },
  {
    name: "network of the user's, secrets, permissions, notices",
    input: {
      domain: "api.example.com",
      hostedZoneId: "Z0123456789ABCDEFGHIJ",
      certificateArn:
        "arn:aws:acm:eu-west-1:111122223333:certificate/12345678-1234-1234-1234-123456789012",
      network: ownNetwork,
      env: { GREETING: "hello" },
      secrets,
      permissions: [
        { actions: ["dynamodb:GetItem"], resources: ["arn:aws:dynamodb:*:*:table/pets"] },
        {
          actions: ["s3:GetObject"],
          resources: ["arn:aws:s3:::pets/*"],
          conditions: { Bool: { "aws:SecureTransport": ["true"] } },
        },
      ],
      notifications: { emails: ["a@example.com"], webhook: secrets.API_KEY },
    },
    image,
  },
  {
    name: "secrets at deployment, strict envelope",
    input: {
      domain: "api.example.com",
      secrets: { DB_PASSWORD: secrets.DB_PASSWORD ?? "" },
      secretsAt: "deploy",
      fargate: { envelope: "strict" },
    },
    image,
  },
  {
    name: "two NAT gateways, no dashboard",
    input: {
      domain: "api.example.com",
      dashboard: false,
      network: { tasks: "private", natGateways: 2 },
    },
    image,
  },
];

/** Few deployments with every value of every choice, for tests that need not see all pairs. */
export const corners: readonly Variant[] = variants.filter(({ name }) => {
  const words = name.split(" ");
  const chosen = [
    "warm http domain public arm64",
    "cold rest domain private x86_64",
    "warm rest none private arm64",
    "cold http none public x86_64",
  ];
  return words.length !== 5 || chosen.includes(name);
});

/** The configuration of a variant. */
export function configOf(input: Partial<ConfigInput>): Config {
  return parseConfig({ command: "node server.js", name: "shop", ...input }, "shop", "test");
}

/** A resource as CloudFormation reads it; properties are looked into freely. */
export interface Resource {
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into templates of many shapes.
  readonly Properties: any;
  readonly DependsOn?: readonly string[];
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

/** A template. */
export interface Template {
  readonly Parameters?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs: Readonly<Record<string, { readonly Value: unknown }>>;
}

/** Both templates of a deployment, as text and parsed. */
export interface Templates {
  readonly base: Template;
  readonly burst: Template | null;
  readonly baseText: string;
  readonly burstText: string;
}

/** A folder that stands in for the controller's code: its contents do not matter to a template. */
export function fakeBundle(folder: string): string {
  for (const file of ["index.mjs", "guard.mjs"]) writeFileSync(join(folder, file), "");
  return folder;
}

const made = new Map<string, Templates>();

/** Synthesises into a folder that is gone afterwards; the same only once. */
export function templatesOf(
  input: Partial<ConfigInput>,
  options: Partial<SynthOptions> = {},
): Templates {
  const key = JSON.stringify([input, options]);
  const templates = made.get(key) ?? synthesised(input, options);
  made.set(key, templates);
  return templates;
}

function synthesised(input: Partial<ConfigInput>, options: Partial<SynthOptions>): Templates {
  const folder = mkdtempSync(join(tmpdir(), "lambdaflex-cdk-"));
  try {
    const { baseTemplate, burstTemplate } = synthesise(configOf(input), {
      out: join(folder, "out"),
      controllerFolder: fakeBundle(folder),
      ...options,
    });
    const baseText = readFileSync(baseTemplate, "utf8");
    const burstText = burstTemplate === null ? "" : readFileSync(burstTemplate, "utf8");
    const burst = burstTemplate === null ? null : (JSON.parse(burstText) as Template);
    return { base: JSON.parse(baseText) as Template, burst, baseText, burstText };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The templates of a deployment that has a burst tier. */
export function bothTemplates(
  input: Partial<ConfigInput> = {},
): Templates & { readonly burst: Template } {
  const made = templatesOf({ domain: "api.example.com", ...input }, { image });
  if (made.burst === null) throw new Error("no burst template");
  return { ...made, burst: made.burst };
}

/** The resources of a type. */
export function ofType({ Resources }: Template, type: string): readonly Resource[] {
  return Object.values(Resources).filter(({ Type }) => Type === type);
}

/** The one resource of a type. */
export function oneOf(template: Template, type: string): Resource {
  const [first, ...others] = ofType(template, type);
  if (first === undefined || others.length > 0) throw new Error(`${others.length + 1} of ${type}`);
  return first;
}

/** A resource by its own name or the end of its name. */
export function named(template: Template, properties: Readonly<Record<string, unknown>>): Resource {
  const found = Object.values(template.Resources).find(({ Properties }) =>
    Object.entries(properties).every(([key, value]) => Properties?.[key] === value),
  );
  if (found === undefined) throw new Error(`no resource with ${JSON.stringify(properties)}`);
  return found;
}
