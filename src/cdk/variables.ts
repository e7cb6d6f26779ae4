/** The service's environment. Both tiers get the same, but for what tells them apart. */
import { type Config, envelopeVariables } from "../config/index.ts";
import type { Tier } from "../core/types.ts";
import { secretAtDeploy } from "./secrets.ts";

/** Lambda stops waiting for a start after ten seconds; later ones go on in the first request. */
const initSecondsMax = 9;

/** What the service and its bootstrap are told on a tier, secrets aside. */
export function serviceVariables(config: Config, tier: Tier): Readonly<Record<string, string>> {
  const { env, port, readiness, fargate } = config;
  return {
    ...env,
    ...envelopeVariables(config),
    PORT: String(port),
    HOST: tier === "lambda" ? "127.0.0.1" : "0.0.0.0",
    LAMBDAFLEX_TIER: tier,
    ...(tier === "fargate" && { LAMBDAFLEX_VCPU: String(fargate.vcpu) }),
    AWS_LWA_PORT: String(port),
    AWS_LWA_READINESS_CHECK_PATH: readiness.path,
    AWS_LWA_READINESS_CHECK_HEALTHY_STATUS: "200-299",
    AWS_LWA_ASYNC_INIT: String(readiness.timeoutSeconds > initSecondsMax),
    // The bootstrap gives up shortly before ECS does, so that the end is its own.
    LAMBDAFLEX_STOP_SECONDS: String(fargate.stopTimeoutSeconds - 1),
  };
}

/**
 * Secrets on Lambda: references for the bootstrap, or for CloudFormation, which writes the values
 * into the function's configuration and nowhere else.
 */
export function secretVariables({ secrets, secretsAt }: Config): Readonly<Record<string, string>> {
  const entries = Object.entries(secrets);
  if (entries.length === 0) return {};
  if (secretsAt === "start") return { LAMBDAFLEX_SECRETS: JSON.stringify(secrets) };
  return Object.fromEntries(entries.map(([name, reference]) => [name, secretAtDeploy(reference)]));
}
