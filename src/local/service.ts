/** What the local cloud knows of the user's service: how to start it, nothing of what it does. */
import type { Sandboxes } from "./sandbox.ts";

/** A service as both tiers run it. */
export interface ServiceSpec {
  readonly name: string;
  /** Program and arguments; a one-line command of the config arrives here as `sh -c`. */
  readonly command: readonly string[];
  /** Absolute path of the folder that the command runs in. */
  readonly cwd: string;
  /** Variables added to the environment of the process. */
  readonly env: Readonly<Record<string, string>>;
  readonly readiness: { readonly path: string; readonly timeoutMs: number };
  /** Stands for the image digest: changes when the service's files change. */
  readonly digest: string;
  /** What its processes run in. @default processes of this machine */
  readonly sandboxes?: Sandboxes;
}

/** Where something listens; always loopback. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}
