/** The burst tier during a deployment: it follows the image that Lambda runs, by the controller. */
import type { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import {
  GetFunctionConfigurationCommand,
  InvokeCommand,
  type LambdaClient,
} from "@aws-sdk/client-lambda";
import { readStatus, type StateTable } from "../../aws/table.ts";
import type { DeploymentNames } from "../../core/deployment.ts";
import type { Pace } from "../aws/pace.ts";
import { failuresSince, isBusy, readStack, type StackFacts } from "../aws/stacks.ts";
import { sentence } from "./recovery.ts";

/** What became of the burst tier. */
export type BurstOutcome =
  | { readonly state: "absent" }
  /** It runs the new image. */
  | { readonly state: "updated" }
  /** It is on its way out with the image that it has. */
  | { readonly state: "leaving" }
  /** The controller goes on after us. */
  | { readonly state: "pending"; readonly reason: string }
  | { readonly state: "failed"; readonly reason: string };

/** Where the burst tier is looked at. */
export interface BurstParts {
  readonly cloudformation: CloudFormationClient;
  readonly lambda: LambdaClient;
  readonly table: StateTable;
  readonly names: DeploymentNames;
  readonly pace: Pace;
  /** When the deployment began: what failed before is not its failure. */
  readonly sinceMs: number;
  readonly say: (line: string) => void;
}

/** A rolling deployment of many tasks takes minutes; the controller needs nobody to watch it. */
const watchMs = 20 * 60_000;

/** Wakes the controller, which otherwise looks once a minute. */
export async function wakeController(client: LambdaClient, names: DeploymentNames): Promise<void> {
  const command = new InvokeCommand({
    FunctionName: names.controllerFunction,
    InvocationType: "Event",
    Payload: JSON.stringify({ source: "command" }),
  });
  // It comes within a minute anyway; that it could not be woken is no failure.
  await client.send(command).catch(() => {});
}

/** Waits until a burst tier that exists runs what Lambda runs; the controller is awake. */
export async function burstFollows(parts: BurstParts): Promise<BurstOutcome> {
  const { cloudformation, lambda, names, pace, say } = parts;
  const before = await readStack(cloudformation, names.burstStack);
  if (before === null) return { state: "absent" };
  if (before.status.startsWith("DELETE")) return { state: "leaving" };
  const wanted = await wantedTaskDefinition(lambda, names);
  const watchedMs = pace.nowMs();
  let told = "";
  for (;;) {
    const stack = await readStack(cloudformation, names.burstStack);
    if (stack === null) return { state: "absent" };
    const outcome = await outcomeOf(stack, wanted, parts);
    if (outcome !== null) return outcome;
    if (pace.nowMs() - watchedMs > watchMs) {
      return { state: "pending", reason: `stack ${stack.name} is ${stack.status}` };
    }
    const line = `burst tier: ${stack.status}, waiting for its tasks to run the new image`;
    if (line !== told) say(line);
    told = line;
    await pace.pause(pace.pollMs);
  }
}

async function outcomeOf(
  stack: StackFacts,
  wanted: string,
  { cloudformation, table, sinceMs }: BurstParts,
): Promise<BurstOutcome | null> {
  if (stack.status.startsWith("DELETE")) return { state: "leaving" };
  if (isBusy(stack)) return null;
  if (/ROLLBACK|FAILED/.test(stack.status)) {
    const failures = await failuresSince(cloudformation, stack.id, sinceMs);
    const why = failures.slice(0, 3).map(sentence).join("; ");
    // An image of before may have failed: the controller has not tried this one yet.
    if (why !== "") {
      return { state: "failed", reason: `stack ${stack.name} is ${stack.status}: ${why}` };
    }
  }
  if (stack.parameters.TaskDefinitionArn === wanted) return { state: "updated" };
  const { target } = await readStatus(table);
  return target === "lambda" ? { state: "leaving" } : null;
}

/** The task definition that the controller hands to the burst stack. */
async function wantedTaskDefinition(
  client: LambdaClient,
  { controllerFunction }: DeploymentNames,
): Promise<string> {
  const command = new GetFunctionConfigurationCommand({ FunctionName: controllerFunction });
  const { Environment } = await client.send(command);
  return Environment?.Variables?.LAMBDAFLEX_TASK_DEFINITION ?? "";
}
