/** ECS services: tasks that start, become healthy, are replaced and stop. */
import type { World } from "./world.ts";

/** A registered task definition. */
export interface TaskDefinition {
  readonly arn: string;
  readonly family: string;
  readonly revision: number;
  readonly containers: readonly { readonly name: string; readonly image: string }[];
  readonly cpu: number;
}

/** One task; `pending` until its process runs, `initial` until the balancer found it healthy. */
export interface Task {
  readonly id: string;
  readonly ip: string;
  readonly taskDefinition: string;
  state: "pending" | "initial" | "healthy" | "unhealthy" | "draining";
}

/** One service. */
export interface Service {
  readonly arn: string;
  readonly name: string;
  readonly cluster: string;
  readonly targetGroupArns: readonly string[];
  readonly createdMs: number;
  taskDefinition: string;
  desired: number;
  tasks: Task[];
  /** What scaling may choose, `null` without a scalable target. */
  scaling: { readonly min: number; readonly max: number } | null;
  /** Why the last deployment failed, `null` if it did not. */
  failure: string | null;
  deleted: boolean;
}

/** The balancer looks every 5 s and wants two successes. */
const healthCheckMs = 10_000;

/** The tasks that the balancer sends requests to. */
export function healthyTasks(service: Service): readonly Task[] {
  return service.tasks.filter((task) => task.state === "healthy");
}

/** Whether every wanted task is of the wanted definition and healthy. */
export function isStable(service: Service): boolean {
  const right = healthyTasks(service).filter(
    (task) => task.taskDefinition === service.taskDefinition,
  );
  return right.length >= service.desired && service.tasks.length === right.length;
}

/** Starts what is missing and stops what is too much; call after every change of what is wanted. */
export function settleTasks(world: World, service: Service): void {
  if (service.deleted) return;
  const current = service.tasks.filter((task) => task.taskDefinition === service.taskDefinition);
  for (let missing = service.desired - current.length; missing > 0; missing -= 1) {
    startTask(world, service);
  }
  // Old tasks serve until the new ones do: minimum healthy 100 %.
  const ready = current.filter((task) => task.state === "healthy").length >= service.desired;
  const old = service.tasks.filter((task) => task.taskDefinition !== service.taskDefinition);
  if (ready) for (const task of old) stopTask(world, service, task);
  const surplus = current.filter((task) => task.state !== "draining").slice(service.desired);
  for (const task of surplus) stopTask(world, service, task);
}

function startTask(world: World, service: Service): void {
  const host = Math.floor(world.random() * 4000);
  const task: Task = {
    id: world.uniqueId(32),
    ip: `10.73.${Math.floor(host / 250)}.${(host % 250) + 4}`,
    taskDefinition: service.taskDefinition,
    state: "pending",
  };
  service.tasks.push(task);
  world.after(world.delays.taskStartMs(), () => {
    if (!service.tasks.includes(task) || task.state === "draining") return;
    task.state = "initial";
    world.after(healthCheckMs, () => judge(world, service, task));
  });
}

/** The first verdict of the balancer. A task that never answers is replaced again and again. */
function judge(world: World, service: Service, task: Task): void {
  if (!service.tasks.includes(task) || task.state === "draining") return;
  const image = world.taskDefinitions.get(task.taskDefinition)?.containers[0]?.image ?? "";
  if (world.application.taskHealthy(image)) {
    task.state = "healthy";
    settleTasks(world, service);
    return;
  }
  task.state = "unhealthy";
  service.failure = "tasks failed ELB health checks";
  world.after(20_000, () => {
    service.tasks = service.tasks.filter((other) => other !== task);
    settleTasks(world, service);
  });
}

/** Takes a task out: it finishes what it has for the deregistration delay. */
export function stopTask(world: World, service: Service, task: Task): void {
  if (task.state === "draining") return;
  const waits = task.state === "pending" ? 0 : 35_000;
  task.state = "draining";
  world.after(waits, () => {
    service.tasks = service.tasks.filter((other) => other !== task);
  });
}

/** Tasks die as when their process crashes; the service starts new ones. */
export function killTasks(world: World, service: Service): void {
  service.tasks = [];
  settleTasks(world, service);
}
