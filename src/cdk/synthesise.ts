/** From a configuration to templates: no account, no Docker, no bundler. */
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { App, CfnOutput, CfnParameter, Stack } from "aws-cdk-lib/core";
import { Construct } from "constructs";
import type { Config } from "../config/index.ts";
import { propsFromConfig } from "../config/props.ts";
import { deploymentNames } from "../core/deployment.ts";
import { FlexService } from "./flex-service.ts";
import { imagePattern, quietApp } from "./plan.ts";

/** What is known of a deployment besides its configuration. */
export interface SynthOptions {
  /** Folder for the templates, the assets and their manifest; made if it does not exist. */
  readonly out: string;
  /** The image by digest. Without it the template asks for it as the parameter `ImageUri`. */
  readonly image?: string;
  /**
   * The zone of the domain if the configuration does not name it. Without it the template asks for
   * it as the parameter `HostedZoneId`.
   */
  readonly hostedZoneId?: string;
  /** Account and region; without them the stack fits any. */
  readonly account?: string;
  readonly region?: string;
  /** Folder of the controller's code; by default the one that comes with the package. */
  readonly controllerFolder?: string;
}

/** What was written. */
export interface Synthesised {
  readonly stackName: string;
  /** The folder is an assembly of the CDK: its toolkit deploys it. */
  readonly out: string;
  readonly baseTemplate: string;
  /** `null` without a domain: then there is no burst tier. */
  readonly burstTemplate: string | null;
}

/** The app with the base stack of a service, not yet written. */
export interface FlexApp {
  readonly app: App;
  readonly stack: Stack;
  readonly service: FlexService;
}

/** Makes the construct that CDK users make, from a configuration. Throws UserError. */
export function flexApp(config: Config, options: SynthOptions): FlexApp {
  const app = new App({ ...quietApp, outdir: resolve(options.out) });
  const { account, region } = options;
  const stack = new Stack(app, deploymentNames(config.name).baseStack, {
    description: `LambdaFlex: ${config.name} on Lambda, and the controller of its Fargate tier.`,
    env: { ...(account && { account }), ...(region && { region }) },
  });
  const service = new FlexService(stack, "Service", {
    ...propsFromConfig(config),
    ...zoneOf(stack, config, options.hostedZoneId),
    image: options.image ?? askForImage(stack),
    ...(options.controllerFolder && { controllerFolder: options.controllerFolder }),
  });
  // In a scope of their own: a parameter has the name of one of them.
  const outputs = new Construct(stack, "Outputs");
  for (const [name, value] of Object.entries(service.outputs)) {
    new CfnOutput(outputs, name, { value }).overrideLogicalId(name);
  }
  return { app, stack, service };
}

/** Writes the templates of a service. Throws UserError. */
export function synthesise(config: Config, options: SynthOptions): Synthesised {
  const { app, stack, service } = flexApp(config, options);
  const assembly = app.synth();
  const out = assembly.directory;
  const baseTemplate = assembly.getStackByName(stack.stackName).templateFullPath;
  if (service.burstTemplate === null) {
    return { stackName: stack.stackName, out, baseTemplate, burstTemplate: null };
  }
  // Beside the base template, for people; what is deployed is the asset, with the same text.
  const { burstStack } = deploymentNames(config.name);
  const burstTemplate = join(out, `${burstStack}.template.json`);
  writeFileSync(burstTemplate, service.burstTemplate);
  return { stackName: stack.stackName, out, baseTemplate, burstTemplate };
}

function askForImage(stack: Stack): string {
  return new CfnParameter(stack, "ImageUri", {
    type: "String",
    allowedPattern: imagePattern,
    constraintDescription: "an image by its digest: REPOSITORY@sha256:…",
    description: "The image of both tiers.",
  }).valueAsString;
}

function zoneOf(
  stack: Stack,
  { domain, hostedZoneId }: Config,
  found: string | undefined,
): { readonly hostedZoneId?: string } {
  if (domain === null || hostedZoneId !== null) return {};
  if (found !== undefined) return { hostedZoneId: found };
  const parameter = new CfnParameter(stack, "HostedZoneId", {
    type: "String",
    allowedPattern: "^Z[A-Z0-9]{1,31}$",
    description: `The Route 53 zone of ${domain}.`,
  });
  return { hostedZoneId: parameter.valueAsString };
}
