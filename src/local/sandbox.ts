/**
 * What a process of the service runs in: on this machine as it is, or in a container. Tiers ask
 * for sandboxes and know nothing of either.
 */
import type { Tier } from "../core/types.ts";
import { inheritedEnvironment } from "./launcher.ts";
import { type Leashed, startLeashed } from "./leash.ts";
import type { Endpoint, ServiceSpec } from "./service.ts";

/** What is started. */
export interface SandboxRequest {
  readonly tier: Tier;
  /** Tells sandboxes of a run apart, for example `lambda-3`. */
  readonly id: string;
  readonly service: ServiceSpec;
  /** What a process of this machine is started with; an image brings its own entrypoint. */
  readonly launcher: readonly string[];
  /** What the tier tells the service, besides the service's own variables. */
  readonly env: Readonly<Record<string, string>>;
  /** A port of loopback that was free a moment ago; a container has ports of its own. */
  readonly port: number;
  /** What the tier gives to one of them; a process of this machine has no such limits. */
  readonly limits: { readonly memoryMB: number; readonly vcpu: number };
  readonly onLine: (line: string) => void;
}

/** A started sandbox. */
export interface Sandbox extends Leashed {
  /** Where the service listens, or will. */
  readonly endpoint: Endpoint;
  /** Nothing in it runs until it is thawed, as between two invocations on Lambda. */
  freeze(): void;
  thaw(): void;
}

/** A way to start sandboxes. */
export interface Sandboxes {
  /** Where this machine has to listen for them, and what they call that address. */
  readonly here: { readonly listen: string; readonly host: string };
  /** Rejects when it cannot even be created. */
  start(request: SandboxRequest): Promise<Sandbox>;
}

const loopback = "127.0.0.1";

/** Processes of this machine: quick, and without any limit of the tiers. */
export const processes: Sandboxes = {
  here: { listen: loopback, host: loopback },
  async start({ service, launcher, env, port, onLine }) {
    const leashed = startLeashed([...launcher, ...service.command], {
      cwd: service.cwd,
      env: {
        ...inheritedEnvironment(),
        ...service.env,
        ...env,
        HOST: loopback,
        PORT: String(port),
        AWS_LWA_PORT: String(port),
      },
      onLine,
    });
    const { pid, exited, signal, stop, kill } = leashed;
    return {
      pid,
      exited,
      get running() {
        return leashed.running;
      },
      signal,
      stop,
      kill,
      endpoint: { host: loopback, port },
      // It would only cost time: what a frozen process may not do is the image's business.
      freeze: () => undefined,
      thaw: () => undefined,
    };
  },
};
