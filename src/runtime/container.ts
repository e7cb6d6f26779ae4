/** In a container nothing stands between client and service: only its life is looked after. */
import { isatty } from "node:tty";
import type { Log } from "./log.ts";
import type { Service } from "./service.ts";

/** A terminal has sent Ctrl-C to the service already; a second one would cut its drain short. */
export function forwardsInterrupt(): boolean {
  return !isatty(0);
}

/** Forwards signals and resolves with the service's exit code. */
export async function runInContainer(
  service: Service,
  stopMs: number,
  onLog: Log,
): Promise<number> {
  const stop = (name: NodeJS.Signals): void => {
    onLog(`${name}: the service has ${stopMs / 1000} s to drain`);
    void service.stop(name, stopMs);
  };
  process.on("SIGTERM", stop);
  process.on("SIGQUIT", stop);
  process.on("SIGINT", forwardsInterrupt() ? stop : () => undefined);
  process.on("SIGHUP", (name) => service.signal(name));
  const { code, reason } = await service.exited;
  if (code !== 0) onLog(`the service ended: ${reason}`);
  return code;
}
