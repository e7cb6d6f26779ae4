import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Clock, scaledClock } from "../clock.ts";
import type { Environment, EnvironmentEvents } from "./environment.ts";
import type { Invocation, InvocationResult } from "./invocation.ts";
import { createPool, type Pool, type PoolOptions } from "./pool.ts";

/** An environment that does what the test says. */
class Puppet implements Environment {
  readonly id: string;
  readonly events: EnvironmentEvents;
  current: Invocation | null = null;
  stopped = false;

  constructor(id: string, events: EnvironmentEvents) {
    this.id = id;
    this.events = events;
  }

  invoke(invocation: Invocation): void {
    assert.equal(this.current, null, "one invocation at a time");
    this.current = invocation;
  }

  async stop(): Promise<void> {
    this.stopped = true;
  }

  /** Answers, and asks for the next invocation. */
  answer(text: string): void {
    const invocation = this.current;
    assert.ok(invocation);
    this.current = null;
    const body = Buffer.from(text);
    this.events.onAnswered(invocation, { type: "response", body, streaming: false });
    this.events.onIdle();
  }

  crash(): void {
    const invocation = this.current;
    assert.ok(invocation);
    this.current = null;
    this.events.onAnswered(invocation, { type: "error", errorType: "Exit", message: "crash" });
    this.events.onGone(true, "crash");
  }
}

interface Stage {
  readonly pool: Pool;
  readonly puppets: Puppet[];
  /** What each request got, by its name. */
  readonly results: Map<string, InvocationResult>;
  /** Moves the virtual clock on. */
  pass(ms: number): void;
  request(name: string): Invocation | null;
}

function stage(options: Partial<PoolOptions> = {}): Stage {
  let nowMs = 0;
  const timers = new Set<{ dueMs: number; run: () => void }>();
  const clock: Clock = {
    ...scaledClock(1, 0),
    nowMs: () => nowMs,
    after: (ms, run) => {
      const timer = { dueMs: nowMs + ms, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  };
  const puppets: Puppet[] = [];
  const results = new Map<string, InvocationResult>();
  const pool = createPool({
    concurrencyMax: 10,
    startsMax: 2,
    idleMs: 1000,
    clock,
    onLog: () => undefined,
    patienceMs: 0,
    backoffMs: 5,
    start: (events) => {
      const puppet = new Puppet(`p${puppets.length}`, events);
      puppets.push(puppet);
      return puppet;
    },
    ...options,
  });
  return {
    pool,
    puppets,
    results,
    pass(ms) {
      nowMs += ms;
      for (const timer of [...timers]) {
        if (timer.dueMs <= nowMs && timers.delete(timer)) timer.run();
      }
    },
    request(name) {
      const done = (result: InvocationResult): void => {
        assert.ok(!results.has(name), "answered once");
        results.set(name, result);
      };
      const invocation = { requestId: name, traceId: "", payload: "{}", done };
      return pool.invoke(invocation) ? invocation : null;
    },
  };
}

function puppet(on: Stage, index: number): Puppet {
  const found = on.puppets[index];
  assert.ok(found, `environment ${index} has been started`);
  return found;
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2000 && !condition(); turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.ok(condition());
}

describe("the pool", () => {
  test("holds a request from zero until its environment is ready", () => {
    const on = stage();
    on.request("a");
    assert.equal(on.pool.stats().queued, 1);
    puppet(on, 0).events.onIdle();
    puppet(on, 0).answer("for a");
    assert.equal((on.results.get("a") as { body: Buffer }).body.toString(), "for a");
    assert.deepEqual(on.pool.stats(), {
      environments: 1,
      starting: 0,
      busy: 0,
      queued: 0,
      coldStarts: 1,
      throttles: 0,
      failure: null,
    });
  });

  test("starts no more than wait and no more than the machine bears", () => {
    const on = stage();
    on.request("a");
    assert.equal(on.puppets.length, 1);
    for (const name of ["b", "c", "d"]) on.request(name);
    assert.equal(on.puppets.length, 2, "startsMax");
    puppet(on, 0).events.onIdle();
    assert.equal(on.puppets.length, 3, "another may start once one is ready");
    assert.equal(puppet(on, 0).current?.requestId, "a");
    puppet(on, 0).answer("a");
    puppet(on, 0).answer("b");
    assert.equal(puppet(on, 0).current?.requestId, "c", "waiting requests take what is free");
    assert.equal(on.pool.stats().queued, 1);
  });

  test("gives the environment used last to the next request and reaps the others", () => {
    const on = stage();
    on.request("a");
    on.request("b");
    puppet(on, 0).events.onIdle();
    puppet(on, 1).events.onIdle();
    puppet(on, 0).answer("a");
    on.pass(500);
    puppet(on, 1).answer("b");
    on.request("c");
    assert.equal(puppet(on, 1).current?.requestId, "c");
    puppet(on, 1).answer("c");
    on.pass(499);
    assert.ok(!puppet(on, 0).stopped);
    on.pass(1);
    assert.ok(puppet(on, 0).stopped && !puppet(on, 1).stopped);
    on.pass(500);
    assert.equal(on.pool.stats().environments, 0);
    on.request("d");
    assert.equal(puppet(on, 2).id, "p2", "and from zero again");
  });

  test("throttles beyond the account's concurrency", () => {
    const on = stage({ concurrencyMax: 3 });
    assert.ok(on.request("a") && on.request("b") && on.request("c"));
    assert.equal(on.request("d"), null);
    assert.equal(on.pool.stats().throttles, 1);
    for (let index = 0; index < on.puppets.length; index += 1) puppet(on, index).events.onIdle();
    assert.equal(on.puppets.length, 3);
    assert.equal(on.request("e"), null, "in flight counts as well");
    puppet(on, 0).answer("a");
    assert.ok(on.request("f"));
  });

  test("drops a waiting request whose client has gone", () => {
    const on = stage({ startsMax: 1 });
    const first = on.request("a");
    on.request("b");
    assert.ok(first);
    on.pool.cancel(first);
    puppet(on, 0).events.onIdle();
    assert.equal(puppet(on, 0).current?.requestId, "b");
  });

  test("replaces an environment that crashes; only its own request fails", () => {
    const on = stage({ startsMax: 1 });
    on.request("a");
    on.request("b");
    puppet(on, 0).events.onIdle();
    puppet(on, 0).crash();
    assert.equal(on.results.get("a")?.type, "error");
    assert.ok(!on.results.has("b"));
    puppet(on, 1).events.onIdle();
    puppet(on, 1).answer("b");
    assert.equal(on.results.get("b")?.type, "response");
    assert.equal(on.pool.stats().failure, null);
  });

  test("tries a failed start again at once, then fails who waits, then backs off", async () => {
    const on = stage();
    on.request("a");
    puppet(on, 0).events.onGone(false, "no database");
    assert.ok(!on.results.has("a"), "one failure may be bad luck");
    puppet(on, 1).events.onGone(false, "no database");
    assert.equal(on.results.get("a")?.type, "error");
    assert.equal(on.pool.stats().failure, "no database");
    on.request("b");
    assert.equal(on.puppets.length, 2, "backing off");
    await until(() => on.puppets.length === 3);
    puppet(on, 2).events.onIdle();
    assert.equal(puppet(on, 2).current?.requestId, "b");
    assert.equal(on.pool.stats().failure, null);
  });

  test("backs off for longer with each failure", async () => {
    const on = stage({ backoffMs: 20, startsMax: 1 });
    const waits: number[] = [];
    for (let failures = 0; failures < 5; failures += 1) {
      on.request(`r${failures}`);
      const before = performance.now();
      await until(() => on.puppets.length === failures + 1);
      waits.push(performance.now() - before);
      puppet(on, failures).events.onGone(false, "broken");
    }
    const [, , third = 0, fourth = 0, fifth = 0] = waits;
    assert.ok(third >= 19 && fourth >= 39 && fifth >= 79, waits.join(" "));
    await on.pool.stop(0);
  });

  test("keeps requests while another environment can serve them", () => {
    const on = stage();
    on.request("a");
    puppet(on, 0).events.onIdle();
    on.request("b");
    puppet(on, 1).events.onGone(false, "bad");
    puppet(on, 2).events.onGone(false, "bad");
    assert.ok(!on.results.has("b"));
    puppet(on, 0).answer("a");
    assert.equal(puppet(on, 0).current?.requestId, "b");
  });

  test("has patience while environments are busy, for they may be free soon", async () => {
    const on = stage({ patienceMs: 30 });
    on.request("a");
    puppet(on, 0).events.onIdle();
    on.request("b");
    assert.equal(on.puppets.length, 1);
    const before = performance.now();
    await until(() => on.puppets.length === 2);
    assert.ok(performance.now() - before >= 25);
  });

  test("starts one at a time, and no sooner than a start takes, on a busy machine", async () => {
    let idle = 1;
    const on = stage({ startsMax: 3, idleShare: () => idle });
    on.request("a");
    // The first start takes 40 ms; from then on a request waits twice as long for another.
    const begun = performance.now();
    await until(() => performance.now() - begun >= 40);
    puppet(on, 0).events.onIdle();
    idle = 0;
    for (const name of ["b", "c", "d"]) on.request(name);
    assert.equal(on.puppets.length, 1);
    const asked = performance.now();
    await until(() => on.puppets.length === 2);
    assert.ok(performance.now() - asked >= 75);
    on.request("e");
    assert.equal(on.puppets.length, 2);
  });

  test("swaps the code: nobody loses an answer, nobody new gets the old code", () => {
    const on = stage({ startsMax: 3 });
    for (const name of ["a", "b"]) on.request(name);
    puppet(on, 0).events.onIdle();
    puppet(on, 1).events.onIdle();
    puppet(on, 0).answer("a");
    on.pool.renew();
    assert.ok(puppet(on, 0).stopped && !puppet(on, 1).stopped);
    on.request("c");
    assert.equal(on.puppets.length, 3);
    puppet(on, 1).answer("b");
    assert.ok(puppet(on, 1).stopped);
    assert.equal(on.results.get("b")?.type, "response");
    puppet(on, 2).events.onIdle();
    assert.equal(puppet(on, 2).current?.requestId, "c");
  });

  test("starts anew for requests that waited for old code", () => {
    const on = stage({ startsMax: 1 });
    on.request("a");
    on.pool.renew();
    assert.ok(puppet(on, 0).stopped);
    puppet(on, 1).events.onIdle();
    assert.equal(puppet(on, 1).current?.requestId, "a");
  });

  test("does not use an environment that hung up", () => {
    const on = stage();
    on.request("a");
    puppet(on, 0).events.onIdle();
    puppet(on, 0).answer("a");
    puppet(on, 0).events.onLost();
    on.request("b");
    assert.equal(puppet(on, 0).current, null);
    puppet(on, 0).events.onIdle();
    assert.equal(puppet(on, 0).current?.requestId, "b");
  });

  test("stops everything and fails who waits", async () => {
    const on = stage();
    on.request("a");
    on.request("b");
    puppet(on, 0).events.onIdle();
    await on.pool.stop(0);
    assert.ok(on.puppets.every(({ stopped }) => stopped));
    assert.equal(on.results.get("b")?.type, "error");
    assert.equal(on.pool.stats().environments, 0);
    assert.equal(on.request("c"), null);
  });
});
