/** What a local cloud is started with. */
import type { Thresholds } from "../core/alarms.ts";
import type { AlarmName, AlarmState, EngineSettings, Policy, TickResult } from "../core/index.ts";
import type { ServiceSpec } from "./service.ts";

/** How large the tiers are; the names are those of the configuration. */
export interface TierSizes {
  readonly lambda: {
    readonly memoryMB: number;
    readonly timeoutMs: number;
    readonly concurrencyMax: number;
    readonly idleMs: number;
  };
  readonly fargate: {
    readonly vcpu: number;
    readonly memoryMB: number;
    readonly tasksMin: number;
    readonly tasksMax: number;
    readonly requestsPerTaskPerMinute: number;
    readonly deregistrationDelayMs: number;
    readonly stopTimeoutMs: number;
    readonly clientKeepAliveMs: number;
    readonly healthCheck: {
      readonly intervalMs: number;
      readonly timeoutMs: number;
      readonly healthyThreshold: number;
      readonly unhealthyThreshold: number;
    };
  };
}

/** A service, the sizes of its tiers, and how its time passes. */
export interface LocalOptions {
  readonly service: ServiceSpec;
  readonly sizes: TierSizes;
  readonly thresholds: Thresholds;
  readonly settings: EngineSettings;
  readonly policy: Policy;
  readonly standby: "warm" | "cold";
  readonly speed: number;
  readonly seed: number;
  /** Where the state is kept. */
  readonly stateFolder: string;
  /** Virtual time of a first start; a resumed one goes on where it was, if that is later. */
  readonly startMs: number;
  /** Processes that may be starting at once: about as many as the machine has cores. */
  readonly startsMax: number;
  /** Whether a controller drives it; else the caller does, through `cloud`. @default true */
  readonly controlled?: boolean;
  readonly onTick?: (result: TickResult, atMs: number) => void;
  readonly onAlarm?: (name: AlarmName, state: AlarmState, atMs: number) => void;
  /** What the status server answers at `/snapshot`; `null` while there is nothing to tell. */
  readonly snapshot?: () => unknown;
  /** Output of the service's processes and of the cloud itself. */
  readonly onLog?: (line: string) => void;
}
