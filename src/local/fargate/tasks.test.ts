import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { processes, type Sandboxes } from "../sandbox.ts";
import type { ServiceSpec } from "../service.ts";
import { call, type Rig, serve, startRig, until } from "./rig.test.ts";
import { startTaskProcess } from "./task-process.ts";
import { startTaskService, type TaskService, type TaskServiceOptions } from "./tasks.ts";

const program = fileURLToPath(new URL("./fixtures/service.mjs", import.meta.url));

function spec(digest: string, mode = "good", env: Record<string, string> = {}): ServiceSpec {
  return {
    name: "shop",
    command: [process.execPath, program],
    cwd: tmpdir(),
    env: { MODE: mode, ...env },
    readiness: { path: "/health", timeoutMs: 3_000 },
    digest,
  };
}

interface Stage extends Rig {
  readonly service: TaskService;
  states(): string[];
}

async function stage(
  t: TestContext,
  service: ServiceSpec,
  options: Partial<TaskServiceOptions> = {},
): Promise<Stage> {
  const rig = await startRig(t);
  const { balancer, clock, lines } = rig;
  const tasks = startTaskService({
    service,
    vcpu: 0.25,
    memoryMB: 512,
    tasksMin: 1,
    tasksMax: 4,
    clock,
    balancer,
    startDelayMs: () => 1_000,
    stopTimeoutMs: 1_000,
    drainMs: 500,
    startsMax: 2,
    launcher: [],
    onLog: (line) => lines.push(line),
    ...options,
  });
  t.after(() => tasks.stop());
  return { ...rig, service: tasks, states: () => tasks.tasks().map(({ state }) => state) };
}

const alive = (pid: number | null): boolean => {
  try {
    return pid !== null && process.kill(pid, 0);
  } catch {
    return false;
  }
};

function steady(on: Stage, count: number): Promise<void> {
  const all = Array<string>(count).fill("healthy");
  return until(() => on.states().join() === all.join(), `${count} healthy tasks`, 8_000);
}

test("runs the desired number of tasks, within limits, and ends them all", async (t) => {
  const on = await stage(t, spec("d1"), { tasks: 2 });
  await steady(on, 2);
  on.service.scaleTo(9);
  assert.equal(on.service.desired, 4);
  await steady(on, 4);
  const pids = on.service.tasks().map(({ pid }) => pid);
  assert.equal(new Set(on.service.tasks().map(({ port }) => port)).size, 4);
  on.service.scaleTo(0);
  assert.equal(on.service.desired, 1);
  await steady(on, 1);
  assert.equal(on.service.tasks()[0]?.id, "task-1", "the oldest stays");
  assert.equal(pids.filter(alive).length, 1);
  const begun = performance.now();
  await on.service.stop();
  assert.ok(performance.now() - begun < 3_000);
  assert.deepEqual(on.service.tasks(), []);
  assert.deepEqual(pids.filter(alive), []);
});

test("starts no more processes at once than the machine is allowed", async (t) => {
  const on = await stage(t, spec("d1"), { tasks: 3, startsMax: 1 });
  let most = 0;
  await until(() => {
    most = Math.max(most, on.states().filter((state) => state === "starting").length);
    return on.states().every((state) => state === "healthy");
  }, "3 healthy tasks");
  assert.equal(most, 1);
});

test("replaces a task that was killed", async (t) => {
  const on = await stage(t, spec("d1"), { tasks: 2 });
  await steady(on, 2);
  const [victim] = on.service.tasks();
  process.kill(victim?.pid ?? 0, "SIGKILL");
  await until(() => on.service.tasks().every(({ id }) => id !== victim?.id), "its end");
  assert.equal(on.balancer.targets().length, 1, "it has left the balancer");
  await steady(on, 2);
  assert.equal(on.service.failure, null);
});

test("replaces a task that fell sick, but not before another one can answer", async (t) => {
  const on = await stage(t, spec("d1"));
  await steady(on, 1);
  await call(on.port, "/fall-sick");
  await until(() => on.states().includes("unhealthy"), "unhealthy");
  assert.equal((await call(on.port, "/")).status, 200, "the last target still answers");
  await until(() => on.states().join() === "healthy", "its replacement");
  assert.equal(on.service.tasks()[0]?.id, "task-2");
});

test("a rolling deployment never has fewer healthy tasks than wanted", async (t) => {
  const on = await stage(t, spec("d1"), { tasks: 2 });
  await steady(on, 2);
  assert.equal(on.service.digest, "d1");
  on.service.deploy(spec("d2"));
  let fewest = 9;
  let most = 0;
  await until(() => {
    const tasks = on.service.tasks();
    const healthy = tasks.filter(({ state }) => state === "healthy");
    fewest = Math.min(fewest, healthy.length);
    most = Math.max(most, tasks.filter(({ state }) => state !== "stopping").length);
    const old = tasks.some(({ digest }) => digest === "d1");
    assert.ok(on.service.digest === "d1" || healthy.some(({ digest }) => digest === "d2"));
    return !old;
  }, "the end of the deployment");
  assert.equal(on.service.digest, "d2");
  assert.ok(fewest >= 2 && most <= 4, `${fewest} to ${most} tasks`);
  const ids = on.service.tasks().map(({ id }) => id);
  on.service.deploy(spec("d2"));
  assert.deepEqual(
    on.service.tasks().map(({ id }) => id),
    ids,
    "the same again changes nothing",
  );
});

test("gives up on tasks that never become healthy, and says why", async (t) => {
  const on = await stage(t, spec("d1", "crash"), { tasks: 2 });
  await until(() => on.service.failure !== null, "the circuit breaker");
  const failure = on.service.failure ?? "";
  assert.match(failure, /3 tasks in a row never became healthy; the last one exited with code 7/);
  assert.match(failure, /last output: boom: no config/);
  await until(() => on.states().length === 0, "no task");
  assert.equal(on.service.digest, "d1");
  on.service.deploy(spec("d2"));
  assert.equal(on.service.failure, null);
  await steady(on, 2);
  assert.equal(on.service.digest, "d2");
});

test("a deployment that fails falls back to what ran before", async (t) => {
  const on = await stage(t, spec("d1"), { tasks: 2 });
  await steady(on, 2);
  const before = on.service.tasks().map(({ id }) => id);
  on.service.deploy(spec("d2", "crash"));
  await until(() => on.service.failure !== null, "the circuit breaker");
  await steady(on, 2);
  assert.deepEqual(
    on.service.tasks().map(({ id }) => id),
    before,
  );
  assert.equal(on.service.digest, "d1");
  const [victim] = on.service.tasks();
  process.kill(victim?.pid ?? 0, "SIGKILL");
  await until(() => on.service.tasks().every(({ id }) => id !== victim?.id), "its end");
  await steady(on, 2);
  assert.ok(on.service.tasks().every(({ digest }) => digest === "d1"));
});

test("names what a task lacks: an answer, a port, a health check that passes", async (t) => {
  const cases = [
    ["mute", 150, /did not listen within 150 ms/],
    ["sick", 800, /not healthy within 800 ms, last health check: answered 503/],
  ] as const;
  for (const [mode, timeoutMs, failure] of cases) {
    const readiness = { path: "/health", timeoutMs };
    const on = await stage(t, { ...spec("d1", mode), readiness }, { startsMax: 4 });
    await until(() => on.service.failure !== null, "the circuit breaker", 8_000);
    assert.match(on.service.failure ?? "", failure);
  }
});

test("a taken port is no failure of the service", async (t) => {
  const folder = mkdtempSync(joinPath(tmpdir(), "tasks-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const env = { MARKER: joinPath(folder, "clashed") };
  const on = await stage(t, spec("d1", "clash", env));
  await steady(on, 1);
  assert.equal(on.service.tasks()[0]?.id, "task-1");
});

test("a port that was lost to somebody who answers is tried again, as the same task", async (t) => {
  const foreign = await serve(t, (_, response) => response.end("foreign"));
  let starts = 0;
  const sandboxes: Sandboxes = {
    ...processes,
    start(request) {
      starts += 1;
      return processes.start(starts === 1 ? { ...request, port: foreign.port } : request);
    },
  };
  const on = await stage(t, { ...spec("d1"), sandboxes });
  await until(() => starts === 2, "another attempt");
  await steady(on, 1);
  const [task] = on.service.tasks();
  assert.equal(task?.id, "task-1");
  assert.notEqual(task.port, foreign.port);
  assert.equal(on.lines.filter((line) => line.includes(`${foreign.port} was taken`)).length, 1);
  assert.match((await call(on.port, "/")).body, /^\d+ \/ $/);
  assert.equal(on.balancer.targets().length, 1);
});

test("a process has lost its port only if it ends before it can have served", async () => {
  for (const [timeoutMs, lost] of [
    [60_000, true],
    [1, false],
  ] as const) {
    const readiness = { path: "/health", timeoutMs };
    const started = await startTaskProcess({
      id: "task",
      service: { ...spec("d1", "taken"), readiness },
      launcher: [],
      limits: { vcpu: 0.25, memoryMB: 512 },
      stopTimeoutMs: 1_000,
      onLine: () => undefined,
    });
    assert.match(await started.ended, /exited with code 1; last output: Error: listen EADDRINUSE/);
    assert.equal(started.portTaken, lost);
  }
});

test("stops within 3 s, however deaf the tasks and whatever they were about to do", async (t) => {
  const on = await stage(t, spec("d1", "deaf"), { tasks: 3, stopTimeoutMs: 60_000 });
  await until(() => on.states().filter((state) => state === "healthy").length === 3, "tasks");
  on.service.scaleTo(2);
  await until(() => on.states().includes("stopping"), "a task that stops");
  on.service.scaleTo(4);
  const pids = on.service.tasks().map(({ pid }) => pid);
  const begun = performance.now();
  await on.service.stop();
  assert.ok(performance.now() - begun < 3_000);
  assert.deepEqual(pids.filter(alive), []);
});

test("a service whose folder is missing fails like any other", async (t) => {
  const on = await stage(t, { ...spec("d1"), cwd: "/does/not/exist" });
  await until(() => on.service.failure !== null, "the circuit breaker");
  assert.match(on.service.failure ?? "", /127|ENOENT/);
});
