/** What to write into an address so that others get where a server listens. */
import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";

/** The interfaces of a machine, as node:os tells them. */
export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** Name or address of a server that is bound to `host`; of all addresses the first outer one. */
export function reachableAt(host: string, interfaces: Interfaces = networkInterfaces()): string {
  if (host === "127.0.0.1") return "localhost";
  const outer = Object.values(interfaces).flatMap((all) => all?.filter(isOuter) ?? []);
  const found =
    host === "0.0.0.0" || host === "::"
      ? (outer.find(({ family }) => family === "IPv4") ?? outer[0])?.address
      : host;
  if (found === undefined) return "localhost";
  return found.includes(":") ? `[${found}]` : found;
}

/** A link-local address of IPv6 needs a zone, which browsers do not take. */
function isOuter({ internal, scopeid = 0 }: { internal: boolean; scopeid?: number }): boolean {
  return !internal && scopeid === 0;
}
