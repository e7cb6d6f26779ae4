/** The templates of a service, made without asking AWS anything. Loads the CDK. */
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SynthOptions } from "../../cdk/index.ts";
import { UserError } from "../../config/errors.ts";
import type { Config } from "../../config/index.ts";
import { deploymentNames } from "../../core/deployment.ts";

/** CloudFormation takes templates of up to a megabyte from a bucket. */
const templateBytesMax = 1_000_000;

/** Loads the part that makes templates. Throws UserError CDK_NOT_INSTALLED. */
export async function loadCdk(): Promise<typeof import("../../cdk/index.ts")> {
  try {
    return await import("../../cdk/index.ts");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "ERR_MODULE_NOT_FOUND" || !/'(aws-cdk-lib|constructs)/.test(message)) throw error;
    const hint = "npm install --save-dev aws-cdk-lib constructs";
    throw new UserError("CDK_NOT_INSTALLED", "aws-cdk-lib is not installed", hint);
  }
}

/** A template that was written. */
export interface WrittenTemplate {
  readonly stack: string;
  readonly file: string;
  readonly bytes: number;
}

/** Writes the assembly of a service. Throws UserError, TEMPLATE_TOO_LARGE among them. */
export async function writeAssembly(
  config: Config,
  options: SynthOptions,
): Promise<readonly WrittenTemplate[]> {
  const { synthesise } = await loadCdk();
  const { stackName, baseTemplate, burstTemplate } = synthesise(config, options);
  const { burstStack } = deploymentNames(config.name);
  const base = await measured(stackName, baseTemplate);
  return burstTemplate === null ? [base] : [base, await measured(burstStack, burstTemplate)];
}

/** Throws UserError TEMPLATE_TOO_LARGE if CloudFormation would refuse the file. */
export async function measured(stack: string, file: string): Promise<WrittenTemplate> {
  const { size: bytes } = await stat(file);
  if (bytes <= templateBytesMax) return { stack, file, bytes };
  const message = `${file} has ${bytes} bytes, CloudFormation takes ${templateBytesMax}`;
  const hint = "Shorten env, permissions and secrets: they are what grows.";
  throw new UserError("TEMPLATE_TOO_LARGE", message, hint);
}

/** Works in a folder that is gone afterwards. */
export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "lambdaflex-assembly-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
