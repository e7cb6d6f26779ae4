/** What the commands work with once they know the service and the account. */
import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { openTable, type StateTable } from "../../aws/table.ts";
import { type LoadedConfig, loadConfig } from "../../config/index.ts";
import { type DeploymentNames, deploymentNames } from "../../core/deployment.ts";
import { type Pace, realPace } from "../aws/pace.ts";
import { type AwsOptions, clientOf, openSession, type Session } from "../aws/session.ts";
import { openScreen, type Screen } from "../screen.ts";
import { type StackProgress, stackProgress } from "./progress.ts";

/** One service in one account and region. */
export interface ServiceAt {
  readonly loaded: LoadedConfig;
  readonly names: DeploymentNames;
  readonly session: Session;
  readonly cloudformation: CloudFormationClient;
  readonly table: StateTable;
  readonly pace: Pace;
  readonly screen: Screen;
  readonly progress: StackProgress;
}

/** Options of every command that works with a deployed service. */
export interface ServiceOptions extends AwsOptions {
  readonly config?: string | undefined;
}

/** Loads the configuration and asks AWS who we are. */
export async function openService(
  options: ServiceOptions,
  signal: AbortSignal,
): Promise<ServiceAt> {
  const loaded = await loadConfig(options.config);
  const session = await openSession(options);
  const names = deploymentNames(loaded.config.name);
  const pace = realPace(signal);
  const screen = openScreen(process.stderr, pace.nowMs);
  return {
    loaded,
    names,
    session,
    cloudformation: new CloudFormationClient(clientOf(session)),
    table: openTable(names.table, session),
    pace,
    screen,
    progress: stackProgress(screen, pace.nowMs),
  };
}
