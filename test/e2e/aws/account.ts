/** An AWS account on this machine for the command line, and a docker that pushes into it. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deploymentNames } from "../../../src/core/deployment.ts";
import { type Loopback, startLoopback } from "../../aws/loopback/server.ts";
import { bootstrap } from "../../aws/world/bootstrap.ts";
import { addZone } from "../../aws/world/dns.ts";
import { addRepository, pushImage, type Repository } from "../../aws/world/repositories.ts";
import { createWorld, type World } from "../../aws/world/world.ts";
import { makeFolder, type Options } from "../rig.ts";

/** The service of these tests. */
export const app = "shop";
/** Its names. */
export const names: ReturnType<typeof deploymentNames> = deploymentNames(app);
/** Its domain. */
export const domain = "shop.example.com";

/** An account and how the command line reaches it. */
export interface Account {
  readonly world: World;
  readonly aws: Loopback;
  readonly options: Options;
  stop(): Promise<void>;
}

/** Virtual time of a call: what takes minutes in AWS takes a few polls here. */
const callMs = 15_000;

/** Starts an account that is ready for a deployment. */
export async function openAccount(): Promise<Account> {
  // Not before the command line's own time, since both compare what happened when.
  const world = createWorld({ startMs: Math.ceil(Date.now() / 60_000) * 60_000 });
  const aws = await startLoopback(world);
  aws.callMs = callMs;
  bootstrap(world);
  addZone(world, "example.com");
  const home = makeFolder({});
  const env = { ...aws.environment, HOME: home, AWS_PROFILE: "", PATH: process.env.PATH ?? "" };
  return { world, aws, options: { env }, stop: () => aws.stop() };
}

/** A folder with the service. */
export function serviceFolder(more: Readonly<Record<string, unknown>> = {}): string {
  const config = { name: app, command: "node server.js", domain, ...more };
  return makeFolder({ "lambdaflex.json": config, Dockerfile: "FROM scratch\n" });
}

/** A digest of 64 times the same digit. */
export const digestOf = (digit: string): string => `sha256:${digit.repeat(64)}`;

/** The application's repository with an image of that digit; its address by digest. */
export function pushed(world: World, digit: string, platform: object = {}): string {
  const tags = { "lambdaflex:app": app };
  const repository: Repository =
    world.repositories.get(names.repository) ?? addRepository(world, names.repository, tags);
  return pushImage(repository, digestOf(digit), platform);
}

/** Puts a `docker` into the path that does as `script` says, in sh. */
export function withDocker(options: Options, script: string): Options {
  const folder = makeFolder({});
  const file = join(folder, "bin", "docker");
  mkdirSync(join(folder, "bin"));
  writeFileSync(file, `#!/bin/sh\necho "$@" >> "${folder}/calls"\n${script}\n`);
  chmodSync(file, 0o755);
  const PATH = `${join(folder, "bin")}:${options.env?.PATH ?? ""}`;
  return { ...options, env: { ...options.env, PATH, DOCKER_CALLS: join(folder, "calls") } };
}
