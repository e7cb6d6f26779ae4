/** LambdaFlex on AWS: the adapter of the Cloud port, and the state table behind it. */
import { AwsCloud, type AwsCloudSettings } from "./cloud.ts";
import type { Deployment } from "./deployment.ts";
import { httpProbe, type Probe } from "./probe.ts";
import { serviceClients } from "./service-clients.ts";
import { openTable } from "./table.ts";

export {
  type CallCondition,
  type CallNeed,
  type CallResource,
  type ControllerCall,
  controllerCalls,
} from "./calls.ts";
export { AwsCloud, type AwsCloudParts, type AwsCloudSettings, type Glance } from "./cloud.ts";
export { type Deployment, readDeployment } from "./deployment.ts";
export { appendEvents, type HistoryPage, historyDays, readEvents } from "./history.ts";
export { httpProbe, type Probe, type ProbeTarget } from "./probe.ts";
export {
  closeTable,
  openTable,
  readState,
  readStatus,
  type StateTable,
  writeStatus,
} from "./table.ts";
export { readTurn, releaseTurn, type Turn, type TurnName, takeTurn } from "./turns.ts";

/** How `awsCloud` reaches AWS. */
export interface AwsCloudOptions {
  readonly region: string;
  readonly nowMs: () => number;
  readonly settings: AwsCloudSettings;
  /** @default real requests over HTTPS */
  readonly probe?: Probe;
}

/** The cloud of a deployment, with clients of its own. */
export function awsCloud(deployment: Deployment, options: AwsCloudOptions): AwsCloud {
  const { region, nowMs, settings, probe = httpProbe } = options;
  return new AwsCloud({
    deployment,
    settings,
    clients: serviceClients({ region }),
    table: openTable(deployment.table, { region }),
    nowMs,
    probe,
  });
}
