/** The Lambda tier as the engine sees it. */
import {
  GetAccountSettingsCommand,
  GetFunctionCommand,
  type LambdaClient,
} from "@aws-sdk/client-lambda";
import type { DeploymentNames } from "../core/deployment.ts";
import type { TierState } from "../core/index.ts";

/** What Lambda itself says; whether it answers is for a probe to say. */
export interface FunctionFacts {
  readonly state: TierState;
  readonly digest: string;
}

const states: Readonly<Record<string, TierState>> = {
  Active: "ready",
  // An unused image is put away after weeks and comes back with the next request.
  Inactive: "ready",
  Pending: "starting",
  Failed: "failed",
};

/** Reads what the alias runs. */
export async function readFunction(
  client: LambdaClient,
  names: DeploymentNames,
): Promise<FunctionFacts> {
  const { Configuration: configuration, Code: code } = await client.send(
    new GetFunctionCommand({ FunctionName: names.appFunction, Qualifier: names.alias }),
  );
  const images = [code?.ImageUri, code?.ResolvedImageUri];
  const digest = images.map((image) => /sha256:[0-9a-f]{64}/.exec(image ?? "")?.[0]).find(Boolean);
  if (digest === undefined) throw new Error(`${names.appFunction} runs no image with a digest`);
  return { state: states[configuration?.State ?? "Active"] ?? "failed", digest };
}

/**
 * Environments that all functions without reserved ones may have at once: the account's limit is
 * what throttles, whoever uses it up.
 */
export async function readConcurrencyLimit(client: LambdaClient): Promise<number> {
  const { AccountLimit: limit } = await client.send(new GetAccountSettingsCommand({}));
  return limit?.UnreservedConcurrentExecutions ?? limit?.ConcurrentExecutions ?? 0;
}
