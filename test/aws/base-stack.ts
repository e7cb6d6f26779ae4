/** The base stack of an application, made from the real templates and put into a world. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { synthesise } from "../../src/cdk/synthesise.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { deploymentNames } from "../../src/core/deployment.ts";
import { bootstrap } from "./world/bootstrap.ts";
import { addZone, type HostedZone } from "./world/dns.ts";
import { addRepository, pushImage } from "./world/repositories.ts";
import { createStack, updateStack } from "./world/stacks/lifecycle.ts";
import { findStack, type StackRecord, type StackRequest } from "./world/stacks/stack.ts";
import { parseTemplate } from "./world/template.ts";
import { startTraffic } from "./world/traffic.ts";
import { arnOf, type World } from "./world/world.ts";

/** The application that all of these tests deploy. */
export const app = "shop";

/** Its domain. */
export const domain = "shop.example.com";

/** A digest of 64 digits out of one. */
export const digestOf = (digit: string): string => `sha256:${digit.repeat(64)}`;

/** What is deployed, and where. */
export interface BaseStack {
  readonly stack: StackRecord;
  readonly zone: HostedZone;
  readonly digest: string;
  /** The variables of the controller's function, as the template makes them. */
  readonly environment: Readonly<Record<string, string>>;
  /** ARN of the controller's role. */
  readonly controllerRole: string;
}

/** Keys of the configuration besides name, command and domain. */
export type ConfigKeys = Readonly<Record<string, unknown>>;

interface Templates {
  readonly base: string;
  /** What the assets' manifest publishes into the bucket of the bootstrap. */
  readonly files: ReadonlyMap<string, Buffer>;
}

const account = "123456789012";
const region = "us-east-1";
const zoneId = "Z0123456789ABCDEFGHIJ";
const made = new Map<string, Templates>();

/** Synthesises the templates of a configuration; once for each, since a synth takes a second. */
export function templatesOf(config: ConfigKeys): Templates {
  const key = JSON.stringify(config);
  const known = made.get(key);
  if (known) return known;
  const folder = mkdtempSync(join(tmpdir(), "lambdaflex-synth-"));
  try {
    const controllerFolder = join(folder, "controller");
    mkdirSync(controllerFolder);
    for (const file of ["index.mjs", "guard.mjs"]) writeFileSync(join(controllerFolder, file), "");
    const input = { name: app, command: "node server.js", domain, ...config };
    const out = join(folder, "out");
    const { baseTemplate } = synthesise(parseConfig(input, app, "test"), {
      out,
      hostedZoneId: zoneId,
      account,
      region,
      controllerFolder,
    });
    const templates = { base: readFileSync(baseTemplate, "utf8"), files: filesOf(out) };
    made.set(key, templates);
    return templates;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface AssetManifest {
  readonly files: Readonly<
    Record<
      string,
      {
        readonly source: { readonly path: string; readonly packaging: string };
        readonly destinations: Readonly<Record<string, { readonly objectKey: string }>>;
      }
    >
  >;
}

function filesOf(out: string): ReadonlyMap<string, Buffer> {
  const manifest = JSON.parse(
    readFileSync(join(out, `${deploymentNames(app).baseStack}.assets.json`), "utf8"),
  ) as AssetManifest;
  const files = new Map<string, Buffer>();
  for (const { source, destinations } of Object.values(manifest.files)) {
    const isFile = source.packaging === "file";
    const body = isFile ? readFileSync(join(out, source.path)) : Buffer.alloc(0);
    for (const { objectKey } of Object.values(destinations)) files.set(objectKey, body);
  }
  return files;
}

/** Deploys the base stack and lets the clients call. Its controller has not run yet. */
export function deployBase(world: World, config: ConfigKeys = {}): BaseStack {
  bootstrap(world);
  const zone = addZone(world, "example.com", zoneId);
  const names = deploymentNames(app);
  const repository = addRepository(world, names.repository, {});
  const digest = digestOf("a");
  const imageUri = pushImage(repository, digest);
  const request = baseRequest(world, config, imageUri);
  const stack = createStack(world, names.baseStack, request);
  settle(world, stack, "CREATE_COMPLETE");
  const controller = world.functions.get(names.controllerFunction);
  if (!controller) throw new Error("the base stack has no controller");
  const role = String(controller.versions.get("$LATEST")?.properties.Role);
  const http = controller.environment.LAMBDAFLEX_FRONT_DOOR === "http";
  startTraffic(world, {
    domain,
    zoneId,
    apiId: http ? (controller.environment.LAMBDAFLEX_API_ID ?? "") : names.api,
    apiDimension: http ? "ApiId" : "ApiName",
    functionName: names.appFunction,
  });
  return { stack, zone, digest, environment: controller.environment, controllerRole: role };
}

/** Deploys another image: the base stack is updated, the burst stack is not. */
export function deployImage(
  world: World,
  base: BaseStack,
  config: ConfigKeys,
  digest: string,
): void {
  const repository = world.repositories.get(deploymentNames(app).repository);
  if (!repository) throw new Error("no repository");
  updateStack(world, base.stack, baseRequest(world, config, pushImage(repository, digest)));
  settle(world, base.stack, "UPDATE_COMPLETE");
}

/** Deploys other settings with the image that is deployed. */
export function deploySettings(world: World, base: BaseStack, config: ConfigKeys): void {
  const { ImageUri: image = "" } = base.stack.request.parameters;
  updateStack(world, base.stack, baseRequest(world, config, image));
  settle(world, base.stack, "UPDATE_COMPLETE");
}

function baseRequest(world: World, config: ConfigKeys, imageUri: string): StackRequest {
  const { base, files } = templatesOf(config);
  const bucket = world.buckets.get(`cdk-hnb659fds-assets-${account}-${region}`);
  for (const [key, body] of files) bucket?.set(key, body);
  return {
    templateBody: base,
    template: parseTemplate(base),
    parameters: { ImageUri: imageUri },
    tags: {},
    roleArn: arnOf(world, "iam", `role/cdk-hnb659fds-cfn-exec-role-${account}-${region}`),
    token: world.uniqueId(),
    capabilities: ["CAPABILITY_NAMED_IAM"],
    onFailure: "ROLLBACK",
  };
}

/** Lets time pass until a stack rests. Throws if it rests in another state than it should. */
export function settle(world: World, stack: StackRecord, wanted: string): void {
  for (let minutes = 0; minutes < 90 && stack.status.endsWith("_IN_PROGRESS"); minutes += 1) {
    world.advance(60_000);
  }
  if (stack.status === wanted) return;
  const reasons = stack.events.filter(({ status }) => status.endsWith("_FAILED"));
  const why = reasons.map(({ logicalId, reason }) => `${logicalId}: ${reason}`).join("\n");
  throw new Error(`${stack.name} is ${stack.status}, not ${wanted}\n${why}`);
}

/** The burst stack that lives now. */
export function burstStack(world: World): StackRecord | null {
  return findStack(world, deploymentNames(app).burstStack);
}
