/** The burst stack of a soak: comes and goes slowly, fails, is broken by faults and by hand. */
import { between, type Random } from "../../core/random.ts";
import type { FargateFacts, TierState } from "../../core/types.ts";
import type { Agenda } from "../agenda.ts";
import type { Happening } from "./script.ts";

const secondMs = 1000;
const minuteMs = 60_000;

/** Why nobody is served: since when a fault has taken the tier away. */
export interface Outage {
  readonly sinceMs: number;
}

/** One burst stack after the other. */
export class Burst {
  readonly #agenda: Agenda;
  readonly #random: Random;
  #state: "absent" | "creating" | "complete" | "failed" | "deleting" | "undeletable" = "absent";
  #digest = "";
  #cancel = (): void => undefined;
  #healthy = false;
  #orphans = false;
  #creation: string | null = null;
  #removal: string | null = null;
  #outage: Outage | null = null;
  /** When the targets were last healthy or not: DNS health checks follow late. */
  #healthChangedMs = Number.NEGATIVE_INFINITY;
  #imageSinceMs = Number.NEGATIVE_INFINITY;

  constructor(agenda: Agenda, random: Random) {
    this.#agenda = agenda;
    this.#random = random;
  }

  /** Whether a request that arrives now is answered. */
  get serves(): boolean {
    return this.#state === "complete" && this.#healthy;
  }

  get outage(): Outage | null {
    return this.#outage;
  }

  get exists(): boolean {
    return this.#state !== "absent";
  }

  /** Nothing is left that costs money. */
  get gone(): boolean {
    return this.#state === "absent" && !this.#orphans;
  }

  get digest(): string {
    return this.#digest;
  }

  /** Since when it runs that. */
  get imageSinceMs(): number {
    return this.#imageSinceMs;
  }

  /** What DNS health evaluation says: it needs half a minute to notice. */
  healthyForDns(nowMs: number): boolean {
    const late = nowMs - this.#healthChangedMs < 30 * secondMs;
    return late ? !this.serves : this.serves;
  }

  /** What an adapter would report. */
  facts(): Omit<FargateFacts, "probeOk"> {
    const complete = this.#state === "complete";
    const states: Readonly<Record<string, TierState>> = {
      absent: "absent",
      creating: "starting",
      failed: "failed",
      deleting: "stopping",
      undeletable: "failed",
    };
    return {
      state: complete ? (this.#healthy ? "ready" : "starting") : (states[this.#state] ?? "failed"),
      digest: this.exists ? this.#digest : null,
      tasksDesired: complete ? 2 : 0,
      tasksHealthy: this.serves ? 2 : 0,
      failure: this.#state === "failed" ? "CREATE_FAILED: quota" : null,
      orphans: this.#orphans && this.#state === "absent" ? ["balancer"] : [],
    };
  }

  provision(digest: string, nowMs: number): void {
    if (this.#state === "complete" && digest !== this.#digest) this.#update(digest, nowMs);
    if (this.exists) return;
    this.#state = "creating";
    this.#outage = null;
    this.#digest = digest;
    const how = this.#creation;
    this.#creation = null;
    const seconds = between(this.#random, 150, 260) + (how === "is slow" ? 2400 : 0);
    this.#later(nowMs + seconds * secondMs, (atMs) => {
      if (how === "fails") this.#state = "failed";
      else if (how === "is removed") this.#state = "absent";
      else {
        this.#state = "complete";
        this.#turn(true, atMs);
      }
    });
  }

  /** A rolling update: the old image serves until the new one does. */
  #update(digest: string, nowMs: number): void {
    const doneMs = Math.round(nowMs + between(this.#random, 60, 120) * secondMs);
    this.#agenda.at(doneMs, () => {
      if (this.#state !== "complete") return;
      this.#digest = digest;
      this.#imageSinceMs = doneMs;
    });
  }

  deprovision(nowMs: number): void {
    if (this.#state === "absent") this.#orphans = false;
    if (this.#state === "absent" || this.#state === "deleting") return;
    this.#delete(nowMs);
  }

  #delete(nowMs: number): void {
    this.#cancel();
    this.#state = "deleting";
    this.#turn(false, nowMs);
    const how = this.#removal;
    this.#removal = null;
    const seconds = between(this.#random, 120, 240) + (how === "is slow" ? 2400 : 0);
    this.#later(nowMs + seconds * secondMs, () => {
      this.#state = how === "fails" ? "undeletable" : "absent";
      if (how === "leaves an orphan") this.#orphans = true;
    });
  }

  /** Faults that concern the stack. Returns whether it was one. */
  suffer(what: Happening, nowMs: number): boolean {
    switch (what.kind) {
      case "next creation":
        this.#creation = what.how;
        return true;
      case "next removal":
        this.#removal = what.how;
        return true;
      case "targets die":
        this.#break(nowMs);
        this.#agenda.at(nowMs + what.forMs, () => {
          if (this.#state === "complete") this.#turn(true, nowMs + what.forMs);
        });
        return true;
      case "stack fails":
        if (this.#state === "complete") {
          this.#break(nowMs);
          this.#state = "failed";
        }
        return true;
      case "stack deleted by hand":
        this.#break(nowMs);
        if (this.exists && this.#state !== "deleting") this.#delete(nowMs);
        return true;
    }
    return false;
  }

  /** Faults are over: what was still to go wrong goes well. */
  heal(nowMs: number): void {
    this.#creation = null;
    this.#removal = null;
    if (this.#state === "complete") this.#turn(true, nowMs + 2 * minuteMs);
  }

  #break(nowMs: number): void {
    if (!this.serves) return;
    this.#outage = { sinceMs: nowMs };
    this.#turn(false, nowMs);
  }

  #turn(healthy: boolean, nowMs: number): void {
    if (healthy) this.#outage = null;
    if (this.#healthy !== healthy) this.#healthChangedMs = nowMs;
    this.#healthy = healthy;
  }

  #later(dueMs: number, run: (atMs: number) => void): void {
    const atMs = Math.round(dueMs);
    this.#cancel = this.#agenda.at(atMs, () => run(atMs));
  }
}
