/**
 * In a container nothing stands between client and service, unless strict mode asks for it: only
 * its life is looked after.
 */
import { type AddressInfo, createServer } from "node:net";
import { type Doorkeeper, startDoorkeeper } from "./doorkeeper.ts";
import type { Log } from "./log.ts";
import type { Service } from "./service.ts";
import { uptimeMs } from "./uptime.ts";
import type { Settings } from "./variables.ts";

/** A terminal has sent Ctrl-C to the service already; a second one would cut its drain short. */
export function forwardsInterrupt(): boolean {
  return !process.getBuiltinModule("node:tty").isatty(0);
}

/** Where the service is told to listen: behind a doorkeeper, on a port of its own. */
export async function servicePort({ envelope, port }: Settings): Promise<number> {
  if (envelope === "native") return port;
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port: free } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return free;
}

/** Forwards signals and resolves with the service's exit code. */
export async function runInContainer(
  service: Service,
  settings: Settings,
  port: number,
  onLog: Log,
): Promise<number> {
  const { stopMs } = settings;
  let doorkeeper: Doorkeeper | null = null;
  const stop = async (name: NodeJS.Signals): Promise<void> => {
    onLog(`${name}: the service has ${stopMs / 1000} s to drain`);
    const begunMs = uptimeMs();
    // Behind a doorkeeper the service would not know of the requests that are still to come.
    await doorkeeper?.close(stopMs);
    await service.stop(name, Math.max(0, stopMs - (uptimeMs() - begunMs)));
  };
  const onSignal = (name: NodeJS.Signals): void => void stop(name);
  process.on("SIGTERM", onSignal);
  process.on("SIGQUIT", onSignal);
  process.on("SIGINT", forwardsInterrupt() ? onSignal : () => undefined);
  process.on("SIGHUP", (name) => service.signal(name));
  if (settings.envelope === "strict") {
    // The service would listen there itself; its own choice of an address is kept.
    const listenHost = process.env.HOST || "0.0.0.0";
    const options = { settings, listenHost, servicePort: port, onLog };
    doorkeeper = await startDoorkeeper(options).catch((error: Error) => {
      onLog(`cannot listen on port ${settings.port}: ${error.message}`);
      return null;
    });
    if (doorkeeper === null) await service.stop("SIGTERM", stopMs);
  }
  const { code, reason } = await service.exited;
  if (code !== 0) onLog(`the service ended: ${reason}`);
  return settings.envelope === "strict" && doorkeeper === null ? 1 : code;
}
