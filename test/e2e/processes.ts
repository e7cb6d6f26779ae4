/** Looks into /proc: which processes live in a folder, and who listens where. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** A living process. */
export interface Living {
  readonly pid: number;
  readonly command: string;
}

/** Processes whose working directory or command line is in `folder`; zombies are dead. */
export function processesIn(folder: string): readonly Living[] {
  return readdirSync("/proc").flatMap((entry) => {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) return [];
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "latin1");
      if (/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2))) return [];
      const command = readFileSync(`/proc/${entry}/cmdline`, "latin1").replaceAll("\0", " ");
      const cwd = readlinkSync(`/proc/${entry}/cwd`);
      const inside = cwd === folder || cwd.startsWith(`${folder}/`) || command.includes(folder);
      return inside ? [{ pid: Number(entry), command }] : [];
    } catch {
      // It has ended between two of these looks.
      return [];
    }
  });
}

/** A variable in the environment that a process was started with, `null` without it. */
export function variableOf(pid: number, name: string): string | null {
  const pairs = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  const pair = pairs.find((one) => one.startsWith(`${name}=`));
  return pair?.slice(name.length + 1) ?? null;
}

/** TCP ports on which this machine listens. */
export function listeningPorts(): ReadonlySet<number> {
  return new Set(listeners().map(({ port }) => port));
}

/** TCP ports on which the given processes listen. */
export function portsOf(pids: readonly number[]): readonly number[] {
  const inodes = new Set(pids.flatMap(socketInodes));
  return listeners().flatMap(({ port, inode }) => (inodes.has(inode) ? [port] : []));
}

/** Addresses on which the given processes listen, as the kernel writes them. */
export function addressesOf(pids: readonly number[]): readonly string[] {
  const inodes = new Set(pids.flatMap(socketInodes));
  return listeners().flatMap(({ address, inode }) => (inodes.has(inode) ? [address] : []));
}

interface Listener {
  readonly address: string;
  readonly port: number;
  readonly inode: string;
}

/** The state of a listening socket in the kernel's table. */
const listening = "0A";

function listeners(): readonly Listener[] {
  return ["tcp", "tcp6"].flatMap((table) => {
    const rows = readFileSync(`/proc/net/${table}`, "latin1").trim().split("\n").slice(1);
    return rows.flatMap((row) => {
      const [, local = "", , state, , , , , , inode = ""] = row.trim().split(/\s+/);
      if (state !== listening) return [];
      const [address = "", port = "0"] = local.split(":");
      return [{ address, port: Number.parseInt(port, 16), inode }];
    });
  });
}

function socketInodes(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}
