/**
 * AWS on 127.0.0.1: speaks the wire protocol of the calls that are used, over a world in virtual
 * time. The service is told by the credential scope of the signature, as AWS itself could.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { imageConfig } from "../world/repositories.ts";
import type { World } from "../world/world.ts";
import { errorOf, type FaultKind, type FaultPlan } from "./faults.ts";
import type { AccessRequest, Service } from "./service.ts";
import { services } from "./services/index.ts";
import { type Answer, type Arrived, AwsError, type Parsed } from "./wire/protocol.ts";

/** One call that arrived. */
export interface Call {
  readonly atMs: number;
  readonly service: string;
  readonly action: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** What IAM decides on for this call. */
  readonly access: readonly AccessRequest[];
  readonly caller: string;
  readonly fault: FaultKind | null;
  /** `ok`, or the code of the error that was answered. */
  readonly outcome: string;
}

/** Says no by the code of an error, or `null` for yes. */
export type Guard = (caller: string, asked: AccessRequest) => string | null;

/** The running server. */
export interface Loopback {
  readonly endpoint: string;
  readonly world: World;
  /** Every call, oldest first. */
  readonly calls: Call[];
  /** Calls that are not emulated: a test that made one is no proof. */
  readonly unknown: string[];
  /** What a client of the SDK must find in its environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** What goes wrong; replace it as you like. */
  faults: FaultPlan;
  /** Who may do what; everything by default. */
  guard: Guard;
  /** Told of every call after it took effect. */
  onCall: (call: Call) => void;
  /** Ends the caller, when a fault says that it dies. */
  onDeath: () => void;
  /** Virtual time that each call takes. */
  callMs: number;
  /** Ends the server; fails if something was asked for that is not emulated. */
  stop(): Promise<void>;
}

/** Starts the server over a world. */
export async function startLoopback(world: World): Promise<Loopback> {
  const server = createServer((request, response) => {
    receive(request)
      .then((arrived) => handle(loopback, arrived, response))
      .catch((error: unknown) => {
        loopback.unknown.push(`the loopback itself failed: ${(error as Error).stack}`);
        response.destroy();
      });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  world.endpoint = endpoint;
  const loopback: Loopback = {
    endpoint,
    world,
    calls: [],
    unknown: [],
    environment: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: world.region,
      AWS_ACCESS_KEY_ID: "AKIATEST",
      AWS_SECRET_ACCESS_KEY: "secret",
      AWS_EC2_METADATA_DISABLED: "true",
    },
    faults: () => null,
    guard: () => null,
    onCall: () => undefined,
    onDeath: () => undefined,
    callMs: 20,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      if (loopback.unknown.length > 0) throw new Error(loopback.unknown.join("\n"));
    },
  };
  return loopback;
}

async function receive(request: IncomingMessage): Promise<Arrived> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)]);
  return {
    method: request.method ?? "GET",
    url: new URL(request.url ?? "/", "http://localhost"),
    headers: Object.fromEntries(headers) as Record<string, string>,
    body: Buffer.concat(chunks),
  };
}

/** Access key and service of a signature. */
function signatureOf({ headers }: Arrived): { readonly key: string; readonly scope: string } {
  const found = /Credential=([^/]+)\/\d+\/[^/]*\/([^/]+)\/aws4_request/.exec(
    headers.authorization ?? "",
  );
  return { key: found?.[1] ?? "", scope: found?.[2] ?? "" };
}

interface Work {
  readonly loopback: Loopback;
  readonly arrived: Arrived;
  readonly service: Service;
  readonly parsed: Parsed;
  readonly caller: string;
}

function handle(loopback: Loopback, arrived: Arrived, response: ServerResponse): void {
  const { world } = loopback;
  world.advance(loopback.callMs);
  const layer = /^\/layers\/(.+)$/.exec(arrived.url.pathname)?.[1];
  if (layer !== undefined) {
    const body = imageConfig(world, decodeURIComponent(layer));
    send(response, { status: body === null ? 404 : 200, headers: {}, body: body ?? "" });
    return;
  }
  const { key, scope } = signatureOf(arrived);
  const service = services.get(scope);
  const parsed = service?.protocol.parse(arrived) ?? null;
  if (!service || !parsed || !service.operations[parsed.action]) {
    const what = `${scope || "unsigned"}:${parsed?.action ?? `${arrived.method} ${arrived.url}`}`;
    loopback.unknown.push(`not emulated: ${what}`);
    const error = new AwsError("NotEmulated", `the loopback does not know ${what}`, 400);
    const { protocol } = service ?? (services.get("sts") as Service);
    send(response, protocol.fail(error, "none"));
    return;
  }
  const work: Work = { loopback, arrived, service, parsed, caller: key };
  const fault = loopback.faults({ service: scope, action: parsed.action });
  const { answer, outcome, access } = perform(work, fault);
  const { action, input } = parsed;
  const atMs = world.nowMs;
  const call = { atMs, service: scope, action, input, access, caller: key, fault, outcome };
  loopback.calls.push(call);
  loopback.onCall(call);
  if (fault === "hangs") return;
  if (fault === "dies-before" || fault === "dies-after") {
    loopback.onDeath();
    return;
  }
  if (answer === null) response.destroy();
  else send(response, answer);
}

const withoutEffect: readonly (FaultKind | null)[] = [
  "throttle",
  "fails-before",
  "breaks-before",
  "dies-before",
  "expired",
  "denied",
];

/** `answer` is null when the connection breaks instead. */
function perform(
  work: Work,
  fault: FaultKind | null,
): { answer: Answer | null; outcome: string; access: readonly AccessRequest[] } {
  const { service, parsed, loopback, caller } = work;
  const { world } = loopback;
  const requestId = `request-${loopback.calls.length}`;
  const operation = service.operations[parsed.action];
  let access: readonly AccessRequest[] = [];
  let outcome = "ok";
  let answer: Answer | null;
  try {
    access = operation?.access(parsed.input as never, world) ?? [];
    if (!withoutEffect.includes(fault)) {
      refuse(loopback.guard, caller, access);
      const output = operation?.run(parsed.input as never, world);
      answer = service.protocol.answer(parsed.action, output, requestId);
    } else answer = null;
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    outcome = error.code;
    answer = service.protocol.fail(error, requestId);
  }
  if (fault === null) return { answer, outcome, access };
  const error = errorOf(fault, parsed.action);
  return { answer: error && service.protocol.fail(error, requestId), outcome: fault, access };
}

function refuse(guard: Guard, caller: string, access: readonly AccessRequest[]): void {
  for (const asked of access) {
    const refusal = guard(caller, asked);
    if (refusal === null) continue;
    const message = `not authorized to perform: ${asked.action} on resource: ${asked.resource}`;
    throw new AwsError(refusal, message, 403);
  }
}

function send(response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, { ...answer.headers, "x-amzn-requestid": "loopback" });
  response.end(answer.body);
}
