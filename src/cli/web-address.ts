/** Where the page is served, and what is in the way of that. */
import { isIPv6 } from "node:net";
import { UserError } from "../config/errors.ts";
import type { Dashboard, DashboardOptions } from "../dashboard/server.ts";
import { numberOption, valuesOf } from "./arguments.ts";

/** The options of every command that serves the page. */
export const webAddressArgs = {
  "web-host": {
    type: "string",
    valueHint: "ADDRESS",
    description: "Where the page listens; beyond 127.0.0.1, its default, it asks for a token",
  },
  "web-port": {
    type: "string",
    valueHint: "N",
    description: "Port of the page; default one that is free",
  },
  "web-name": {
    type: "string",
    valueHint: "NAME",
    description: "Name of a tunnel or proxy that leads to the page; repeatable",
    repeatable: true,
  },
} as const;

/** What `webAddressArgs` were given. */
export interface WebAddressGiven {
  readonly "web-host"?: string | undefined;
  readonly "web-port"?: string | undefined;
}

/** Where the page was wished for; what nobody has said is left out. */
export type WebAddress = DashboardOptions;

/** Reads the options. Throws UserError OPTION_INVALID. */
export function webAddress(given: WebAddressGiven, rawArgs: readonly string[]): WebAddress {
  const { "web-host": host, "web-port": port } = given;
  const names = valuesOf("web-name", rawArgs);
  for (const name of names) checkName(name);
  if (host !== undefined) checkHost(host);
  return {
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port: portOption(port) }),
    ...(names.length === 0 ? {} : { names }),
  };
}

/** Refuses options of a page that is not served. Throws UserError OPTION_INVALID. */
export function checkUnserved(address: WebAddress, why: string, hint: string): void {
  const [key] = Object.keys(address) as (keyof WebAddress)[];
  if (key === undefined) return;
  const option = { host: "--web-host", port: "--web-port", names: "--web-name" }[key];
  throw new UserError("OPTION_INVALID", `${option} is of no use ${why}`, hint);
}

function portOption(text: string): number {
  return numberOption("web-port", text, 0, 65_535, "whole number");
}

/** Labels as DNS has them, and the underscore that some networks use. */
const nameShape = /^[\w-]+(\.[\w-]+)*$/;

function checkName(name: string): void {
  if (nameShape.test(name) && name.length <= 253) return;
  const hint = "Give the name alone, without scheme and port: page.example.com.";
  throw new UserError("OPTION_INVALID", `--web-name "${name}" is no host name`, hint);
}

function checkHost(host: string): void {
  if (nameShape.test(host) || (isIPv6(host) && !host.includes("%"))) return;
  const hint = "Give an address of this machine, such as 0.0.0.0 for all of them.";
  throw new UserError("OPTION_INVALID", `--web-host "${host}" is no address`, hint);
}

/** Serves a page where it was wished for. Throws UserError where that is not possible. */
export async function servedAt(
  address: WebAddress,
  start: (address: WebAddress) => Promise<Dashboard>,
): Promise<Dashboard> {
  try {
    return await start(address);
  } catch (error) {
    throw addressError(error as NodeJS.ErrnoException, address);
  }
}

const foreign = new Set(["EADDRNOTAVAIL", "ENOTFOUND", "EAI_AGAIN", "EINVAL", "EAFNOSUPPORT"]);

function addressError(error: NodeJS.ErrnoException, { host, port }: WebAddress): Error {
  const { code = "" } = error;
  if (code === "EADDRINUSE") {
    const hint = "Leave the port of the page out for any free one.";
    return new UserError("PORT_IN_USE", `port ${port} is in use`, hint);
  }
  if (code === "EACCES") {
    const message = `port ${port} is reserved for the owner of this machine`;
    return new UserError("OPTION_INVALID", message, "Choose one from 1024 on for the page.");
  }
  if (!foreign.has(code)) return error;
  const hint = "Give --web-host an address of this machine, or 0.0.0.0 for all of them.";
  return new UserError("ADDRESS_FOREIGN", `the page cannot listen on ${host}: ${code}`, hint);
}

/** The address is the result; the token is not, so that no pipe or log carries it further. */
export function sayAddress(what: string, { address, url }: Dashboard): void {
  process.stdout.write(`${what}: ${address}\n`);
  if (url !== address) process.stderr.write(`the page: ${url}\n`);
}
