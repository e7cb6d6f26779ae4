/** From the environment of the function to everything that an invocation works with. */
import { SNSClient } from "@aws-sdk/client-sns";
import { SSMClient } from "@aws-sdk/client-ssm";
import { onceOnly, retrying } from "../aws/clients.ts";
import { AwsCloud } from "../aws/cloud.ts";
import { type Deployment, readDeployment, type Variables } from "../aws/deployment.ts";
import { httpProbe, type Probe } from "../aws/probe.ts";
import { serviceClients } from "../aws/service-clients.ts";
import { openTable, type StateTable } from "../aws/table.ts";
import { parseControllerConfig } from "../config/controller.ts";
import { policyOf, stirringWindows } from "../config/policy.ts";
import { engineSettings } from "../config/settings.ts";
import type { EngineSettings } from "../core/index.ts";
import type { WriteLine } from "./log.ts";
import type { Audience } from "./notify.ts";
import { grantingBursts, type Refusals, refusingBursts } from "./refusal.ts";
import { openWebhook, type Send } from "./webhook.ts";

/** What the outside world gives to a controller. */
export interface ControllerOptions {
  /** The variables of the function; see `ControllerVariables`. */
  readonly environment: Variables;
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Takes one line of the log, without its end. */
  readonly write: WriteLine;
  /** @default requests over HTTPS */
  readonly probe?: Probe;
  /** @default fetch */
  readonly send?: Send;
}

/** A controller that is ready to tick. */
export interface Controller {
  readonly options: ControllerOptions;
  readonly deployment: Deployment;
  readonly settings: EngineSettings;
  readonly refusals: Refusals;
  readonly cloud: AwsCloud;
  readonly table: StateTable;
  readonly audience: Audience;
}

/** Reads and checks the environment. Throws when it is not what the stack wrote. */
export function setUp(options: ControllerOptions): Controller {
  const { environment, nowMs, probe = httpProbe, send = fetch } = options;
  const deployment = readDeployment(environment);
  const config = parseControllerConfig(environment.LAMBDAFLEX_CONFIG ?? "");
  const settings = engineSettings(config);
  const region = environment.AWS_REGION ?? "";
  const table = openTable(deployment.table, { region });
  const policy = policyOf(config);
  const { topic, webhook, app } = deployment;
  return {
    options,
    deployment,
    settings,
    table,
    refusals: deployment.domain === null ? refusingBursts(policy) : grantingBursts(policy),
    cloud: new AwsCloud({
      deployment,
      settings: {
        readinessPath: config.readiness.path,
        drainQuietMs: settings.drainQuietMs,
        stirs: stirringWindows(config),
      },
      clients: serviceClients({ region }),
      table,
      nowMs,
      probe,
    }),
    audience: {
      app,
      topic: topic === "" ? null : { arn: topic, client: new SNSClient(onceOnly({ region })) },
      webhook:
        webhook === null
          ? null
          : openWebhook({
              reference: webhook,
              client: new SSMClient(retrying({ region })),
              nowMs,
              send,
            }),
    },
  };
}
