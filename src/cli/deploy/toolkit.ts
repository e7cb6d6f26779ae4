/**
 * The CDK's own toolkit behind three verbs. It is large, so this file is only loaded by commands
 * that need it; its messages become our progress, and it never asks: our commands have asked.
 */
import {
  DiffMethod,
  type ICloudAssemblySource,
  type IIoHost,
  StackSelectionStrategy,
  Toolkit,
} from "@aws-cdk/toolkit-lib";
import type { StackEvent } from "@aws-sdk/client-cloudformation";
import type { StackProgress } from "./progress.ts";
import { securityChanges } from "./security-changes.ts";

/** A synthesised folder and how it is deployed. */
export interface Assembly {
  readonly folder: string;
  /** Tags of the stack, by which we know our own again. */
  readonly tags: Readonly<Record<string, string>>;
  readonly pollMs: number;
}

/** What a deployment came to. */
export interface Deployed {
  /** Whether nothing had to change. */
  readonly unchanged: boolean;
  /** What CloudFormation gave up removing: it still exists and may be billed. */
  readonly leftBehind: readonly string[];
}

/** How the template differs from what is deployed. */
export interface Difference {
  readonly different: boolean;
  readonly text: string;
  /** Changes of permissions and of who may connect, a line each; empty without any. */
  readonly security: readonly string[];
}

/** What is read from the toolkit's messages, since its results do not hold it. */
interface Heard {
  noOp: boolean;
  diff: string;
}

function ioHost(progress: StackProgress, heard: Heard): IIoHost {
  return {
    async notify({ code, message, data }) {
      if (code === "CDK_TOOLKIT_I5502") {
        progress.event((data as { readonly event: StackEvent }).event);
      } else if (code === "CDK_ASSETS_I5275") {
        progress.say(`  ${message}`);
      } else if (code === "CDK_TOOLKIT_I5900") {
        heard.noOp = (data as { readonly noOp?: boolean } | undefined)?.noOp === true;
      } else if (code === "CDK_TOOLKIT_I4002") {
        heard.diff += (data as StackDifference).formattedDiff.diff;
      }
      progress.tick();
    },
    async requestResponse({ defaultResponse }) {
      // A question with a yes or no is whether we really want what we were told to do.
      return typeof defaultResponse === "boolean" ? (true as never) : defaultResponse;
    },
  };
}

interface StackDifference {
  readonly formattedDiff: { readonly diff: string };
}

async function open(
  folder: string,
  progress: StackProgress,
): Promise<{
  readonly toolkit: Toolkit;
  readonly source: ICloudAssemblySource;
  readonly heard: Heard;
}> {
  const heard: Heard = { noOp: false, diff: "" };
  const colour = process.stdout.isTTY === true && !process.env.NO_COLOR;
  const toolkit = new Toolkit({ ioHost: ioHost(progress, heard), emojis: false, color: colour });
  return { toolkit, source: await toolkit.fromAssemblyDirectory(folder), heard };
}

/** The burst template is an asset of the base stack, which is the only stack of the assembly. */
const only = { stacks: { strategy: StackSelectionStrategy.ONLY_SINGLE, patterns: [] } };

/** Publishes the assets and brings the stack to the template. Throws the toolkit's errors. */
export async function deployStack(target: Assembly, progress: StackProgress): Promise<Deployed> {
  const { toolkit, source, heard } = await open(target.folder, progress);
  const { stacks } = await toolkit.deploy(source, {
    ...only,
    tags: Object.entries(target.tags).map(([Key, Value]) => ({ Key, Value })),
    stackEventPollingInterval: target.pollMs,
  });
  const leftBehind = stacks.flatMap(({ deleteFailures }) =>
    deleteFailures.map(({ resourceType, physicalResourceId = "", reason }) => {
      return `${physicalResourceId} (${resourceType}): ${reason}`;
    }),
  );
  return { unchanged: heard.noOp, leftBehind };
}

/** Removes the stack. Throws the toolkit's errors. */
export async function destroyStack(target: Assembly, progress: StackProgress): Promise<void> {
  const { toolkit, source } = await open(target.folder, progress);
  const options = { ...only, stackEventPollingInterval: target.pollMs };
  await toolkit.destroy(source, options);
}

/** Compares the template with what is deployed, without a change set: nothing is made in AWS. */
export async function diffStack(target: Assembly, progress: StackProgress): Promise<Difference> {
  const { toolkit, source, heard } = await open(target.folder, progress);
  const options = { ...only, method: DiffMethod.TemplateOnly() };
  const diffs = Object.values(await toolkit.diff(source, options));
  const different = diffs.some(({ differenceCount }) => differenceCount > 0);
  return { different, text: heard.diff, security: diffs.flatMap(securityChanges) };
}
