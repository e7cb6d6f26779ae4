/**
 * The world of a soak: stack, zone, clients, metrics and alarms in virtual time, which jumps from
 * event to event. In between all rates are constant, so that whole requests can be counted.
 */
import { alarmsAtStart } from "../../core/alarms.ts";
import { between, type Random, seededRandom } from "../../core/random.ts";
import { initialStatus, lambdaOnly, routeOf } from "../../core/status.ts";
import type { Action, Observation, Route, Sample, Status } from "../../core/types.ts";
import { type Agenda, createAgenda } from "../agenda.ts";
import { type AlarmBoard, type AlarmStates, alarmBoard } from "../alarms.ts";
import { Burst, type Outage } from "./burst.ts";
import { type Client, createClients, type Fates, noFates } from "./clients.ts";
import { Drain, type Look } from "./drain.ts";
import { Flights } from "./flights.ts";
import { Zone } from "./names.ts";
import type { Happening, Script } from "./script.ts";
import { Traffic } from "./traffic.ts";

const minuteMs = 60_000;
const minutesReadable = 10;
const healthLagMs = 30_000;
const concurrencyMax = 1000;
/** From a look at the world to the effect of what follows from it: a turn, and a late effect. */
const lookMsMax = 75_000;
const secondsPerRequest = 0.05;
/** A target that is deregistered goes on for so long with what it has begun. */
const deregistrationMs = 35_000;

/** How a burst tier ended: its address never serves again. */
interface End {
  readonly outage: Outage | null;
  /** Whether its clients were waited for as promised. */
  readonly kept: boolean;
}

/** Everything but the controllers. */
export class World {
  readonly agenda: Agenda = createAgenda();
  readonly zone: Zone;
  readonly burst: Burst;
  readonly fates: Fates = noFates();
  readonly #script: Script;
  readonly #random: Random;
  readonly #clients: readonly Client[];
  readonly #traffic = { lambda: new Traffic("lambda"), fargate: new Traffic("fargate") };
  readonly #board: AlarmBoard;
  readonly #drain: Drain;
  readonly #flights = new Flights();
  /** Told when an alarm goes off, and when something is found that must not be. */
  onAlarm: () => void = () => undefined;
  onViolation: (what: string) => void = () => undefined;
  status: Status = initialStatus();
  arrived = 0;
  /** How the former burst tiers ended; their number is the generation of the present one. */
  readonly #ends: End[] = [];
  #nowMs = 0;
  #requestsPerMs = 0;
  #samples: readonly Sample[] = [];
  #alarms: AlarmStates = alarmsAtStart;
  #lastRequestMs: number | null = null;
  /** What the last look showed, which a command goes by. */
  #look: Look = {
    atMs: 0,
    silentMs: 0,
    route: initialStatus().route,
    lambdaUnfit: false,
    fargateErrs: false,
  };
  #image = 1;
  #imagesDoubtedMs = Number.NEGATIVE_INFINITY;
  /** Until when each of these is in force. */
  readonly #untilMs = { throttled: 0, down: 0, lambda: 0, fargate: 0 };

  constructor(script: Script) {
    this.#script = script;
    this.#random = seededRandom(script.seed ^ 0x5eed);
    this.zone = new Zone(this.agenda, this.#random);
    this.burst = new Burst(this.agenda, this.#random);
    this.#drain = new Drain(script, this.zone);
    this.#board = alarmBoard(script.thresholds, concurrencyMax);
    const { agenda } = this;
    const random = this.#random;
    const resolve = (nowMs: number) =>
      this.zone.resolve(this.burst.healthyForDns(nowMs), this.#ends.length);
    const surroundings = { agenda, random, ttlMs: script.settings.ttlMs, resolve };
    this.#clients = createClients(script, surroundings, 0);
    this.agenda.at(minuteMs, () => this.#closeMinute(0));
  }

  /** Requests that were sent and have no fate yet. */
  get inFlight(): number {
    return this.#flights.count;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  get digest(): string {
    return `sha256:image-${this.#image}`;
  }

  /** Lets time pass to the next event, at most to `untilMs`. */
  advance(untilMs: number): void {
    const nextMs = Math.max(this.#nowMs, Math.min(untilMs, this.agenda.nextMs));
    if (nextMs > this.#nowMs) this.#flow(nextMs - this.#nowMs, nextMs);
    this.#nowMs = nextMs;
    this.fates.fargate += this.#flights.land(nextMs);
    this.agenda.runDue(nextMs);
  }

  /** What an adapter reads. */
  observation(): Observation {
    const { burst, zone, status } = this;
    const facts = burst.facts();
    const probes = status.target === "fargate" && status.route.fargate < 100;
    const lambdaDown = this.#nowMs < this.#untilMs.down;
    const serving = burst.serves;
    return {
      lambda: {
        state: lambdaDown ? "failed" : "ready",
        digest: this.digest,
        concurrencyFree: Math.max(0, this.#concurrencyLimit() - this.#lambdaConcurrency()),
      },
      fargate: { ...facts, probeOk: probes && facts.state === "ready" ? serving : null },
      dns: { route: zone.route, inSync: zone.inSync },
      alarms: this.#alarms,
      samples: this.#samples,
      recent: { lambda: this.#traffic.lambda.recent(), fargate: this.#traffic.fargate.recent() },
      balancerLastRequestMs: this.#lastRequestMs,
    };
  }

  /** A controller was told this, right or stale, and goes by it. */
  told({ lambda, fargate, dns, recent, balancerLastRequestMs }: Observation): void {
    const demand = recent.lambda.requests + recent.fargate.requests > 0;
    const unfit = lambda.state !== "ready" || (demand && lambda.concurrencyFree === 0);
    this.#look = {
      atMs: this.#nowMs,
      silentMs: this.#nowMs - (balancerLastRequestMs ?? Number.NEGATIVE_INFINITY),
      route: dns.route,
      lambdaUnfit: unfit && fargate.state === "ready",
      fargateErrs: this.#fargateErrs(recent),
    };
  }

  /** An action takes effect. */
  perform(action: Action): void {
    const nowMs = this.#nowMs;
    if (action.type === "provision") {
      if (!this.burst.exists) {
        this.#ends.push(this.#end());
        this.#lastRequestMs = null;
      }
      this.burst.provision(action.digest, nowMs);
    } else if (action.type === "route") {
      this.#drain.noteWeights(action.route, nowMs);
      this.zone.set(action.route, nowMs, false, this.#ends.length);
    } else {
      if (this.burst.serves && this.zone.mayAnswerFargate && !this.zone.touched) {
        this.onViolation("the burst tier is removed while DNS answers with it");
      }
      if (this.burst.serves) this.agenda.at(nowMs + deregistrationMs, () => this.#cutOff());
      this.burst.deprovision(nowMs);
    }
  }

  /** The deregistered targets of a removed tier stop. */
  #cutOff(): void {
    this.fates.fargate += this.#flights.land(this.#nowMs);
    const cut = this.#flights.cut();
    this.fates.lost += cut;
    if (cut > 0) this.onViolation(`${cut} requests lost: in flight in a tier that was removed`);
  }

  #fargateErrs({ lambda, fargate }: Observation["recent"]): boolean {
    const { errorMargin, errorRequestsMin } = this.#script.settings;
    if (fargate.requests < errorRequestsMin) return false;
    const usual = lambda.errors / Math.max(1, lambda.requests);
    return fargate.errors / fargate.requests > usual + errorMargin;
  }

  /** What the controller that commits now went by. */
  get look(): Look {
    return this.#look;
  }

  /** A route is commanded: it may be applied much later, and again, but is judged once. */
  commanded(before: Route, after: Route): void {
    this.#drain.judge(before, after, this.#look, this.#nowMs);
  }

  /** Something of the script happens. Returns whether it concerned the world. */
  suffer(what: Happening): boolean {
    const nowMs = this.#nowMs;
    const { outage } = this.burst;
    if (this.burst.suffer(what, nowMs)) {
      if (this.burst.outage !== outage) this.fates.killed += this.#flights.cut();
      return true;
    }
    switch (what.kind) {
      case "traffic":
        this.#requestsPerMs = what.requestsPerMinute / minuteMs;
        return true;
      case "weights set by hand":
        this.#setByHand(what.fargate === null ? lambdaOnly : routeOf(what.fargate));
        return true;
      case "DNS is slow":
        this.zone.slow(nowMs + what.forMs);
        return true;
      case "Lambda throttled":
        this.#untilMs.throttled = nowMs + what.forMs;
        return true;
      case "Lambda down":
        this.#untilMs.down = nowMs + what.forMs;
        return true;
      case "errors":
        this.#untilMs[what.tier] = nowMs + what.forMs;
        return true;
      case "deploy":
        this.#image = what.image;
        this.doubtImages();
        return true;
    }
    return false;
  }

  #setByHand(route: Route): void {
    this.#drain.noteWeights(route, this.#nowMs);
    this.zone.set(route, this.#nowMs, true, this.#ends.length);
  }

  /** Who looked a moment ago saw other images than there are now. */
  doubtImages(): void {
    this.#imagesDoubtedMs = this.#nowMs;
  }

  /** Whether the tiers run different images, and have for long enough to be seen. */
  get imagesDiffer(): boolean {
    const sinceMs = Math.max(this.#imagesDoubtedMs, this.burst.imageSinceMs);
    return this.burst.digest !== this.digest && this.#nowMs - sinceMs > lookMsMax;
  }

  /** No fault is in force any more, and nobody sends anything. */
  calmDown(): void {
    Object.assign(this.#untilMs, { throttled: 0, down: 0, lambda: 0, fargate: 0 });
    this.burst.heal(this.#nowMs);
    this.#requestsPerMs = 0;
  }

  #concurrencyLimit(): number {
    return this.#nowMs < this.#untilMs.throttled ? 2 : concurrencyMax;
  }

  #lambdaConcurrency(): number {
    let clients = 0;
    for (const client of this.#clients) if (client.tier === "lambda") clients += 1;
    const share = clients / this.#clients.length;
    return Math.ceil(this.#requestsPerMs * 1000 * share * secondsPerRequest);
  }

  /** All requests of a span in which nothing changes. */
  #flow(spanMs: number, endMs: number): void {
    if (this.#requestsPerMs === 0) return;
    const each = (this.#requestsPerMs * spanMs) / this.#clients.length;
    let toLambda = 0;
    for (const client of this.#clients) {
      client.due += each;
      const requests = Math.floor(client.due);
      client.due -= requests;
      this.arrived += requests;
      if (client.tier === "lambda") toLambda += requests;
      else if (requests > 0) this.#toFargate(client, requests, endMs);
    }
    this.#toLambda(toLambda, spanMs);
  }

  #toLambda(requests: number, spanMs: number): void {
    const limit = this.#concurrencyLimit();
    const most = Math.floor((limit / secondsPerRequest) * (spanMs / 1000)) + limit;
    const answered = Math.min(requests, most);
    const throttled = requests - answered;
    this.fates.lambda += answered;
    this.fates.throttled += throttled;
    const errors = this.#nowMs < this.#untilMs.lambda ? Math.ceil(answered / 2) : 0;
    const inFlight = this.#lambdaConcurrency();
    this.#traffic.lambda.add(requests, errors + throttled, throttled, inFlight);
  }

  #toFargate(client: Client, requests: number, endMs: number): void {
    if (this.burst.serves && client.generation === this.#ends.length) {
      this.#flights.start(requests, this.#nowMs, endMs, client.takesMs);
      this.#lastRequestMs = endMs;
      const errors = this.#nowMs < this.#untilMs.fargate ? Math.ceil(requests / 2) : 0;
      this.#traffic.fargate.add(requests, errors, 0, 1);
      return;
    }
    const fate = this.#excuse(client);
    this.fates[fate] += requests;
    if (fate !== "lost") return;
    const held = Math.round((this.#nowMs - client.resolvedMs) / 1000);
    this.onViolation(`${requests} requests lost: Fargate's address, held for ${held} s, is dead`);
  }

  #excuse(client: Client): "killed" | "misled" | "overstayed" | "lost" {
    const { outage, kept } = this.#ends[client.generation] ?? this.#end();
    if (outage !== null && client.resolvedMs <= outage.sinceMs + healthLagMs) return "killed";
    if (client.byHand) return "misled";
    const overdue = this.#nowMs - client.resolvedMs > this.#script.settings.ttlMs;
    return overdue && kept ? "overstayed" : "lost";
  }

  /** How the present burst tier would have ended if it ended now. */
  #end(): End {
    return { outage: this.burst.outage, kept: this.#drain.wasKept };
  }

  #closeMinute(startMs: number): void {
    const samples = [this.#traffic.lambda.close(startMs)];
    const onFargate = this.#traffic.fargate.close(startMs);
    if (this.burst.exists || onFargate.requests > 0) samples.push(onFargate);
    const lagMs = Math.round(between(this.#random, 5, 50) * 1000);
    this.agenda.at(startMs + minuteMs + lagMs, () => this.#publish(samples));
    this.agenda.at(startMs + 2 * minuteMs, () => this.#closeMinute(startMs + minuteMs));
  }

  #publish(samples: readonly Sample[]): void {
    this.#samples = [...this.#samples.slice(-2 * minutesReadable), ...samples];
    const before = this.#alarms;
    this.#alarms = this.#board(samples, this.burst.exists);
    if (this.#alarms === before) return;
    const names = Object.keys(before) as (keyof AlarmStates)[];
    const rings = names.some((name) => this.#alarms[name] === "ALARM" && before[name] !== "ALARM");
    if (rings) this.onAlarm();
  }
}
