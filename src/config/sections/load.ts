/** The mix of requests that a rehearsal sends. */
import { z } from "zod";
import type { Config, ConfigInput } from "../types.ts";
import { amount, problem, type Section } from "./field.ts";

type LoadRequest = Config["load"]["requests"][number];
type LoadRequestInput = NonNullable<NonNullable<ConfigInput["load"]>["requests"]>[number];

const body = z
  .union([z.null(), z.string(), z.array(z.unknown()), z.record(z.string(), z.unknown())])
  .default(null)
  .describe("What is sent, as JSON unless the headers say otherwise; a text is sent as it is.")
  .meta({ examples: [{ name: "{token}" }] });

/** Whether the request carries a word that its answer can be recognised by. */
function hasToken(request: LoadRequest): boolean {
  const { path, headers, body } = request;
  return JSON.stringify([path, headers, body]).includes("{token}");
}

const request: z.ZodType<LoadRequest, LoadRequestInput> = z
  .strictObject({
    method: z
      .enum(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
      .default("GET")
      .describe("The request's method."),
    path: z
      .string()
      .regex(/^\/[^\s#]*$/, 'a path that starts with "/" and has no space or #')
      .describe(
        "Path and query; everywhere in a request `{n}` becomes a number from 1 to 50, `{token}` " +
          "a word that no other request has.",
      )
      .meta({ examples: ["/pets/{n}"] }),
    headers: z
      .record(z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, "a header name"), z.string())
      .default({})
      .describe("Headers to send."),
    body,
    weight: amount(0.001, 1_000_000, 1, "How often it is sent, relative to the other requests."),
    expect: z
      .array(z.int().min(100).max(599))
      .min(1)
      .max(100)
      .default([200])
      .describe("Statuses that the service means; any other answer counts as failed."),
    echo: z
      .boolean()
      .default(false)
      .describe(
        "Whether a 2xx answer must contain the request's `{token}`, or else is not its own.",
      ),
  })
  .refine(
    ({ method, body }) => body === null || (method !== "GET" && method !== "HEAD"),
    problem("LOAD_INVALID", "a GET or HEAD request has no body", 'Remove "body" or use POST.'),
  )
  .refine(
    (request) => !request.echo || hasToken(request),
    problem(
      "LOAD_INVALID",
      '"echo" needs a {token} in the path, headers or body',
      'For example "body": {"name": "{token}"}.',
    ),
  );

/** What a rehearsal sends. */
export const load: Section<Config["load"], ConfigInput["load"]> = z
  .strictObject({
    requests: z
      .array(request)
      .max(100)
      .default([])
      .describe("The mix of requests; empty means GET of `readiness.path`, answered with 200."),
  })
  .prefault({})
  .describe("The requests that a rehearsal sends.");
