/** The burst stack: a balancer that takes minutes to come and go, and the service behind it. */
import type { Delays } from "../core/delays.ts";
import type { TierState } from "../core/types.ts";
import type { Agenda } from "./agenda.ts";
import type { Meter } from "./bill.ts";
import type { FargateService } from "./fargate-service.ts";

/** What a stack is made of. */
export interface BurstStackParts {
  readonly agenda: Agenda;
  readonly delays: Delays;
  readonly meter: Meter;
  readonly service: FargateService;
}

/** One burst stack after the other. */
export class BurstStack {
  readonly #parts: BurstStackParts;
  #state: "absent" | "creating" | "complete" | "deleting" = "absent";
  #cancel = (): void => undefined;

  constructor(parts: BurstStackParts) {
    this.#parts = parts;
  }

  get exists(): boolean {
    return this.#state !== "absent";
  }

  /** Whether the balancer takes requests. */
  get reachable(): boolean {
    return this.#state === "complete";
  }

  /** The burst tier as the engine sees it. */
  get tierState(): TierState {
    if (this.#state === "absent") return "absent";
    if (this.#state === "deleting") return "stopping";
    return this.reachable && this.#parts.service.healthy > 0 ? "ready" : "starting";
  }

  /** Creates the balancer, then the tasks. `running` ones are there at once. */
  create(tasks: number, nowMs: number, running = false): void {
    if (this.exists) return;
    const { agenda, delays, meter, service } = this.#parts;
    this.#state = "creating";
    meter.balancerCreated(nowMs);
    const dueMs = running ? nowMs : nowMs + Math.round(delays.balancerMs());
    const complete = (): void => {
      this.#state = "complete";
      service.scaleTo(tasks, dueMs, running);
    };
    if (running) complete();
    else this.#cancel = agenda.at(dueMs, complete);
  }

  /** Stops the tasks, then removes the balancer. Returns how many requests were still in line. */
  remove(nowMs: number): number {
    if (!this.exists || this.#state === "deleting") return 0;
    const { agenda, delays, meter, service } = this.#parts;
    this.#cancel();
    this.#state = "deleting";
    meter.removalBegun();
    const goneMs = nowMs + Math.round(delays.removalMs());
    agenda.at(goneMs, () => {
      this.#state = "absent";
      meter.balancerGone(goneMs);
    });
    return service.remove(nowMs);
  }
}
