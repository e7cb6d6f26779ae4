/**
 * The control plane of the local cloud: the burst stack and the DNS records, with real delays.
 *
 * It plays CloudFormation and Route 53: what is asked of it is accepted at once and becomes true
 * later. Its facts are stored after each change, because AWS would not forget them either when the
 * controller dies.
 */
import { lambdaOnly, sameRoute } from "../core/status.ts";
import type { Route, TierState } from "../core/types.ts";
import type { Clock } from "./clock.ts";
import type { Delays } from "./delays.ts";
import type { Snapshot } from "./state-file.ts";

/** The part of the Fargate tier that a stack creates and removes. */
export interface BurstTier {
  stats(): { readonly healthy: number; readonly digest: string; readonly failure: string | null };
  deploy(digest: string): void;
  stop(): Promise<void>;
}

/** What survives a restart. */
export interface PlaneFacts {
  readonly stack: "absent" | "creating" | "complete" | "deleting";
  readonly digest: string | null;
  readonly tasks: number;
  /** When the present stack operation ends. */
  readonly stackDueMs: number;
  readonly route: Route;
  readonly pendingRoute: { readonly route: Route; readonly dueMs: number } | null;
  /** Virtual time at the last change, so that time never runs backwards. */
  readonly atMs: number;
}

/** When external things last became true; tells the engine's own delay from the cloud's. */
export interface Milestones {
  readonly servesAtMs: number | null;
  readonly inSyncAtMs: number | null;
  readonly goneAtMs: number | null;
}

/** CloudFormation and Route 53 in small. */
export interface ControlPlane {
  provision(digest: string, tasks: number): void;
  deprovision(): void;
  setRoute(route: Route): void;
  /** State of the burst tier as the engine sees it. */
  burst(): { readonly state: TierState; readonly failure: string | null };
  readonly facts: PlaneFacts;
  /** What DNS answers at this moment. */
  readonly effectiveRoute: Route;
  readonly inSync: boolean;
  readonly milestones: Milestones;
  /** Takes up what an earlier process left: resolves when a complete stack runs again. */
  resume(): Promise<void>;
  stop(): Promise<void>;
}

/** What the control plane is made of. */
export interface ControlPlaneOptions {
  readonly clock: Clock;
  readonly delays: Delays;
  readonly store: Snapshot<PlaneFacts>;
  readonly tasksMin: number;
  readonly before: PlaneFacts | null;
  /**
   * Creates balancer and tasks; rejects if the balancer can not listen. `resumed` tasks would run
   * already, had they not died with the process that started them.
   */
  readonly startBurst: (digest: string, tasks: number, resumed: boolean) => Promise<BurstTier>;
  readonly onLog?: ((line: string) => void) | undefined;
}

/** How long a resumed tier may take to serve, real, before its engine is told that it does not. */
const resumeRealMs = 30_000;

/** Whether a stored document is a set of facts of this version. */
export function isPlaneFacts(value: unknown): value is PlaneFacts {
  const stored = Object(value) as Record<string, unknown>;
  return (
    Object.entries({ ...absent, atMs: 0 }).every(([key, known]) => {
      return known === null ? key in stored : typeof stored[key] === typeof known;
    }) && Number.isFinite(stored.atMs)
  );
}

const absent: Omit<PlaneFacts, "atMs"> = {
  stack: "absent",
  digest: null,
  tasks: 0,
  stackDueMs: 0,
  route: lambdaOnly,
  pendingRoute: null,
};

/** Creates the control plane in the state that `options.before` describes. */
export function createControlPlane(options: ControlPlaneOptions): ControlPlane {
  const { clock, delays, store } = options;
  let facts: PlaneFacts = options.before ?? { ...absent, atMs: clock.nowMs() };
  let tier: BurstTier | null = null;
  let failure: string | null = null;
  let cancelStack = (): void => undefined;
  let cancelRoute = (): void => undefined;
  let servesAtMs: number | null = null;
  let inSyncAtMs: number | null = null;
  let goneAtMs: number | null = null;
  let saving: Promise<void> = Promise.resolve();
  let work: Promise<void> = Promise.resolve();
  let stopped = false;

  const log = (line: string): void => options.onLog?.(line);
  const set = (change: Partial<PlaneFacts>): void => {
    facts = { ...facts, ...change, atMs: clock.nowMs() };
    const snapshot = facts;
    saving = saving
      .then(() => store.write(snapshot))
      .catch(({ message }: Error) => log(`the state folder can not be written: ${message}`));
  };
  /** Starts and stops of the tier follow each other: a removal finds what was starting before. */
  const enqueue = (run: () => Promise<void>): Promise<void> => {
    work = work.then(run).catch((error: Error) => log(`the burst stack: ${error.message}`));
    return work;
  };

  const startTier = async (resumed: boolean): Promise<void> => {
    const { digest, tasks } = facts;
    try {
      tier = await options.startBurst(digest ?? "", tasks, resumed);
      if (facts.digest !== digest && facts.digest !== null) tier.deploy(facts.digest);
      if (facts.stack === "creating") set({ stack: "complete" });
    } catch (error) {
      failure = (error as Error).message;
      log(`the burst stack failed: ${failure}`);
    }
  };
  const awaitCreation = (): void => {
    cancelStack = clock.after(facts.stackDueMs - clock.nowMs(), () => {
      void enqueue(() => startTier(false));
    });
  };
  const awaitRemoval = async (): Promise<void> => {
    const leaving = tier;
    tier = null;
    await leaving?.stop();
    if (stopped) return;
    cancelStack = clock.after(facts.stackDueMs - clock.nowMs(), () => {
      failure = null;
      goneAtMs = clock.nowMs();
      set({ stack: "absent", digest: null, tasks: 0 });
    });
  };
  const serving = async (): Promise<void> => {
    const untilMs = clock.nowMs() + resumeRealMs * clock.speed;
    const waits = (): boolean => burst().state === "starting" && clock.nowMs() < untilMs;
    while (!stopped && waits()) await clock.sleep(1000);
  };
  const awaitRoute = (): void => {
    const pending = facts.pendingRoute;
    if (pending === null) return;
    cancelRoute();
    cancelRoute = clock.after(pending.dueMs - clock.nowMs(), () => {
      inSyncAtMs = clock.nowMs();
      set({ route: pending.route, pendingRoute: null });
    });
  };

  const burst = (): { state: TierState; failure: string | null } => {
    if (facts.stack === "absent") return { state: "absent", failure: null };
    if (facts.stack === "deleting") return { state: "stopping", failure };
    const stats = tier?.stats();
    const reason = failure ?? stats?.failure ?? null;
    const serving = (stats?.healthy ?? 0) > 0;
    if (reason !== null && !serving) return { state: "failed", failure: reason };
    if (!serving) servesAtMs = null;
    else if ((stats?.healthy ?? 0) >= options.tasksMin) servesAtMs ??= clock.nowMs();
    return { state: serving ? "ready" : "starting", failure: null };
  };

  // Looks often, so that the time at which the tier began to serve is known to the second.
  const cancelWatch = clock.every(1000, () => void burst());

  return {
    provision(digest, tasks) {
      if (facts.stack === "absent") {
        const stackDueMs = clock.nowMs() + delays.balancerMs();
        set({ stack: "creating", digest, tasks, stackDueMs });
        awaitCreation();
      } else if (facts.stack !== "deleting" && digest !== facts.digest) {
        set({ digest });
        tier?.deploy(digest);
      }
    },
    deprovision() {
      if (facts.stack === "absent" || facts.stack === "deleting") return;
      cancelStack();
      set({ stack: "deleting", stackDueMs: clock.nowMs() + delays.removalMs() });
      void enqueue(awaitRemoval);
    },
    setRoute(route) {
      const latest = facts.pendingRoute?.route ?? facts.route;
      if (sameRoute(latest, route)) return;
      set({ pendingRoute: { route, dueMs: clock.nowMs() + delays.dnsMs() } });
      awaitRoute();
    },
    burst,
    get facts() {
      return facts;
    },
    get effectiveRoute() {
      return facts.route;
    },
    get inSync() {
      return facts.pendingRoute === null;
    },
    get milestones() {
      return { servesAtMs, inSyncAtMs, goneAtMs };
    },
    async resume() {
      awaitRoute();
      if (facts.stack === "creating") awaitCreation();
      if (facts.stack === "deleting") await enqueue(awaitRemoval);
      if (facts.stack !== "complete") return;
      await enqueue(() => startTier(true));
      await serving();
    },
    async stop() {
      stopped = true;
      cancelStack();
      cancelRoute();
      cancelWatch();
      await work;
      await tier?.stop();
      await saving;
    },
  };
}
