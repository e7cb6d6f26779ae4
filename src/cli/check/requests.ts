/** Which requests are replayed, and where they come from. */
import { readFile } from "node:fs/promises";
import { type ErrorCode, UserError } from "../../config/errors.ts";
import type { Config } from "../../config/index.ts";
import type { RecordedRequest } from "../../core/record.ts";
import { ask } from "../../local/ask.ts";
import type { Endpoint } from "../../local/service.ts";
import { harRequests, isHar } from "../../parity/har.ts";
import type { ReplayRequest } from "../../parity/observed.ts";
import { isOpenApi, openApiRequests } from "../../parity/openapi.ts";
import { isSendable } from "../../parity/sendable.ts";
import { openRecording } from "../recording.ts";

/** What the command line says about requests. */
export interface RequestSources {
  readonly openapi: string | undefined;
  readonly har: string | undefined;
  readonly recording: string | undefined;
  /** Whether methods that change something are taken from documents too. */
  readonly unsafe: boolean;
}

/** Where services usually keep their own document. */
const usualPaths = ["/openapi.json", "/swagger.json", "/v3/api-docs", "/api/openapi.json"];
const safeMethods = new Set(["GET", "HEAD", "OPTIONS"]);
const bytesMax = 64 * 1024 * 1024;

/** What the files that were given hold; `null` where none was given. */
export interface Documents {
  readonly described: readonly ReplayRequest[] | null;
  readonly archived: readonly ReplayRequest[] | null;
  readonly rehearsed: readonly ReplayRequest[] | null;
}

/** Reads them before anything is started. Throws UserError, also for files without a request. */
export async function readDocuments(sources: RequestSources): Promise<Documents> {
  const { openapi, har, recording } = sources;
  return {
    described: openapi ? await readDocument(openapi, openApiKind) : null,
    archived: har ? await readDocument(har, harKind) : null,
    rehearsed: recording ? await rehearsedRequests(recording) : null,
  };
}

async function rehearsedRequests(path: string): Promise<readonly ReplayRequest[]> {
  const { head } = await openRecording(path);
  const requests = head?.requests ?? [];
  const sendable = requests.map((request) => mixRequest(request, "recording")).filter(isSendable);
  if (sendable.length > 0) return sendable;
  const hint = "A recording of lambdaflex rehearse --record FILE does; in one of dev nobody sends.";
  throw new UserError("RECORD_FOREIGN", `${path} holds no request`, hint);
}

/** The requests, and a sentence on each source for the summary. */
export interface RequestPlan {
  readonly requests: readonly ReplayRequest[];
  readonly sources: readonly string[];
  /** Requests that were left out because they could change something. */
  readonly leftOut: number;
}

/** Collects the requests; the service at `direct` is asked for its OpenAPI document. */
export async function planRequests(
  config: Config,
  documents: Documents,
  unsafe: boolean,
  direct: Endpoint,
): Promise<RequestPlan> {
  const described = documents.described ?? (await ownDocument(direct));
  const archived = documents.archived ?? [];
  const rehearsed = documents.rehearsed ?? [];
  // What a rehearsal sends, the owner has written down to be sent: all methods count.
  const mix = config.load.requests.map((one) => mixRequest(one, "load"));
  const ready = readinessRequest(config);
  const offered = [...described, ...archived, ...rehearsed];
  const taken = offered.filter(({ method }) => unsafe || safeMethods.has(method));
  const preflights = [...mix, ...taken].filter(({ method }) => method === "GET").map(preflightOf);
  const requests = unique([ready, ...mix, ...taken, ...preflights]);
  const sources = [
    `${mix.length + 1} of the configuration`,
    ...(described.length > 0 ? [`${described.length} of the OpenAPI document`] : []),
    ...(archived.length > 0 ? [`${archived.length} of the HAR file`] : []),
    ...(rehearsed.length > 0 ? [`${rehearsed.length} of the recording`] : []),
  ];
  return { requests, sources, leftOut: offered.length - taken.length };
}

function readinessRequest({ readiness }: Config): ReplayRequest {
  const headers = [["accept-encoding", "gzip, br"]] as const;
  return { method: "GET", target: readiness.path, headers, body: null, origin: "readiness" };
}

/** OPTIONS, as a browser asks before it sends a request to another origin. */
function preflightOf({ target, origin }: ReplayRequest): ReplayRequest {
  const headers = [
    ["origin", "https://parity.example"],
    ["access-control-request-method", "GET"],
  ] as const;
  return { method: "OPTIONS", target, headers, body: null, origin };
}

function mixRequest(template: RecordedRequest, origin: string): ReplayRequest {
  const { method, path, body } = template;
  const fill = (text: string): string =>
    text.replaceAll("{n}", "1").replaceAll("{token}", "tparity");
  const headers = Object.entries(template.headers).map(
    ([name, value]) => [name.toLowerCase(), fill(value)] as const,
  );
  const text = body === null ? null : fill(typeof body === "string" ? body : JSON.stringify(body));
  const typed = headers.some(([name]) => name === "content-type");
  return {
    method,
    target: fill(path),
    headers:
      text === null || typed
        ? headers
        : [...headers, ["content-type", "application/json"] as const],
    body: text === null ? null : Buffer.from(text),
    origin,
  };
}

function unique(requests: readonly ReplayRequest[]): readonly ReplayRequest[] {
  const found = new Map<string, ReplayRequest>();
  for (const request of requests) {
    const { method, target, headers, body } = request;
    const key = JSON.stringify([
      method,
      target,
      headers,
      body && Buffer.from(body).toString("hex"),
    ]);
    if (!found.has(key)) found.set(key, request);
  }
  return [...found.values()];
}

async function ownDocument(direct: Endpoint): Promise<readonly ReplayRequest[]> {
  for (const target of usualPaths) {
    const headers = [["accept", "application/json"]] as const;
    const request = { method: "GET", target, headers, body: null, origin: "openapi" };
    const answer = await ask(direct, request, { timeoutMs: 10_000, bodyBytesMax: bytesMax });
    if (answer.type === "none" || answer.status !== 200) continue;
    try {
      const document: unknown = JSON.parse(Buffer.from(answer.body).toString());
      if (isOpenApi(document)) return openApiRequests(document);
    } catch {
      // Some page of the service happens to have that name.
    }
  }
  return [];
}

interface DocumentKind {
  readonly code: Extract<ErrorCode, "OPENAPI_INVALID" | "HAR_INVALID">;
  readonly name: string;
  readonly hint: string;
  readonly fits: (document: unknown) => boolean;
  readonly requests: (document: unknown) => readonly ReplayRequest[];
}

const openApiKind: DocumentKind = {
  code: "OPENAPI_INVALID",
  name: "an OpenAPI document",
  hint: "It must be JSON: convert YAML first, or let the service serve /openapi.json.",
  fits: isOpenApi,
  requests: openApiRequests,
};

const harKind: DocumentKind = {
  code: "HAR_INVALID",
  name: "an HTTP archive",
  hint: "Browsers save one in their developer tools, under Network.",
  fits: isHar,
  requests: harRequests,
};

async function readDocument(path: string, kind: DocumentKind): Promise<readonly ReplayRequest[]> {
  const { code, name, hint, fits } = kind;
  let document: unknown;
  try {
    document = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    // A parser quotes the file, which may go over several lines.
    const reason = (error as Error).message.replace(/\s+/g, " ");
    throw new UserError(code, `${path} cannot be read: ${reason}`, hint);
  }
  if (!fits(document)) throw new UserError(code, `${path} is not ${name}`, hint);
  const requests = kind.requests(document);
  if (requests.length === 0) throw new UserError(code, `${path} holds no request`, hint);
  return requests;
}
