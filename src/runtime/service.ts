/** The service's process: started without a shell, in our group, on our standard streams. */
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";

/** A started service. */
export interface Service {
  /** Resolves once, with the exit code, 128 + signal number, or 127 / 126 if it could not start. */
  readonly exited: Promise<Exit>;
  /** `null` while it runs. */
  readonly exit: Exit | null;
  signal(name: NodeJS.Signals): void;
  /** Sends `name`, and SIGKILL if it still runs after `graceMs` real milliseconds. */
  stop(name: NodeJS.Signals, graceMs: number): Promise<Exit>;
}

/** How the process ended. */
export interface Exit {
  readonly code: number;
  /** For people: `exit status 3`, `signal: killed`. */
  readonly reason: string;
}

/** Starts `command` with `env`; a failure to start shows as an exit. */
export function startService(
  command: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Service {
  const [program = "", ...args] = command;
  const child = spawn(program, args, { env, stdio: "inherit" });
  let exit: Exit | null = null;
  const exited = ended(child, program).then((result) => {
    exit = result;
    return result;
  });
  const signal = (name: NodeJS.Signals): void => {
    if (!exit) child.kill(name);
  };
  // Whatever ends this process, the service must not stay behind without it.
  process.once("exit", () => signal("SIGKILL"));
  return {
    exited,
    get exit() {
      return exit;
    },
    signal,
    async stop(name, graceMs) {
      signal(name);
      const timer = setTimeout(() => signal("SIGKILL"), graceMs);
      const result = await exited;
      clearTimeout(timer);
      return result;
    },
  };
}

function ended(child: ChildProcess, program: string): Promise<Exit> {
  return new Promise((resolve) => {
    child.once("error", (error: NodeJS.ErrnoException) => {
      if (child.pid !== undefined) return;
      const missing = error.code === "ENOENT";
      const what = missing ? "no such program" : (error.code ?? error.message);
      const reason = `cannot start ${JSON.stringify(program)}: ${what}`;
      resolve({ code: missing ? 127 : 126, reason });
    });
    child.once("exit", (code, signalName) => {
      if (signalName === null) resolve({ code: code ?? 1, reason: `exit status ${code}` });
      else resolve({ code: 128 + constants.signals[signalName], reason: `signal ${signalName}` });
    });
  });
}
