/** The states of the four alarms, as CloudWatch says them. */
import { type CloudWatchClient, DescribeAlarmsCommand } from "@aws-sdk/client-cloudwatch";
import { alarmsAtStart } from "../core/alarms.ts";
import { alarmName } from "../core/deployment.ts";
import type { AlarmName, AlarmState } from "../core/index.ts";

/** The state of each alarm by its name. */
export type AlarmStates = Readonly<Record<AlarmName, AlarmState>>;

/** Reads all four with one call. One that does not exist has no data. */
export async function readAlarms(client: CloudWatchClient, app: string): Promise<AlarmStates> {
  const names = Object.keys(alarmsAtStart) as AlarmName[];
  const { MetricAlarms: alarms = [] } = await client.send(
    new DescribeAlarmsCommand({ AlarmNames: names.map((name) => alarmName(app, name)) }),
  );
  const states: Record<AlarmName, AlarmState> = { ...alarmsAtStart };
  for (const name of names) {
    const found = alarms.find(({ AlarmName: full }) => full === alarmName(app, name));
    const value = found?.StateValue;
    // A word that nobody knows says as little as none.
    states[name] = value === "OK" || value === "ALARM" ? value : "INSUFFICIENT_DATA";
  }
  return states;
}

/** Whether any of them asks for something. */
export function someRing(states: AlarmStates): boolean {
  return Object.values(states).includes("ALARM");
}
