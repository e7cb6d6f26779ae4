/** The echo service, as the local cloud starts it. */
import { fileURLToPath } from "node:url";
import type { ServiceSpec } from "../../src/local/service.ts";

/** A service that tells what it saw. */
export const echoService: ServiceSpec = {
  name: "echo",
  command: ["node", "echo.mjs"],
  cwd: fileURLToPath(new URL(".", import.meta.url)),
  env: {},
  readiness: { path: "/", timeoutMs: 20_000 },
  digest: "sha256:echo",
};
