/** The catalogue of rules: what each is about, on which tier it bites, and what to do. */
import type { BreaksOn, Level } from "./finding.ts";

/** A rule of `lambdaflex check`. */
export interface Rule {
  readonly level: Level;
  readonly tier: BreaksOn;
  /** What the rule looks for, for its page and for SARIF. */
  readonly title: string;
  readonly breaks: string;
  readonly fix: string;
}

const catalogue = {
  "start-slow": {
    level: "warning",
    tier: "lambda",
    title: "The service may take longer to start than Lambda's init phase",
    breaks: "Lambda ends an init phase after 10 s and starts anew within the first request.",
    fix: "Start faster, or set AWS_LWA_ASYNC_INIT=true so that the init phase may end before.",
  },
  "stream-needs-rest": {
    level: "warning",
    tier: "lambda",
    title: "Streamed answers behind an HTTP API",
    breaks: "An HTTP API collects a streamed answer and hands it on when it is complete.",
    fix: "Use the REST front door, which streams, or AWS_LWA_INVOKE_MODE=buffered.",
  },
  "payload-over-limit": {
    level: "warning",
    tier: "lambda",
    title: "Bodies above what Lambda carries",
    breaks:
      "Lambda takes 6 MB as an event (4.5 MB of binary data): 413 there, accepted on Fargate.",
    fix: "Upload by presigned URL, or set the limit to 4.5 MB on both tiers.",
  },
  "encoded-path": {
    level: "warning",
    tier: "lambda",
    title: "Encoded characters in paths behind an HTTP API",
    breaks: "An HTTP API decodes the path: /a%2Fb arrives as /a/b, and no adapter can repair it.",
    fix: "Put such values into the query, or use the REST front door, which keeps the path.",
  },
  "image-adapter-missing": {
    level: "error",
    tier: "lambda",
    title: "The image has neither the bootstrap nor the Lambda Web Adapter",
    breaks: "On Lambda nothing asks the Runtime API for requests: every one times out.",
    fix: "Copy the bootstrap and make it the ENTRYPOINT: docs/bootstrap.md has the three lines.",
  },
  "image-root-user": {
    level: "warning",
    tier: "fargate",
    title: "The image runs as root",
    breaks: "Lambda runs it as another user: what only root may read or bind fails there.",
    fix: "Create a user and end the Dockerfile with USER that-user.",
  },
  "image-shell-form": {
    level: "warning",
    tier: "fargate",
    title: "A shell stands between the signals and the service",
    breaks: "SIGTERM reaches /bin/sh, not the service: it is killed in the middle of requests.",
    fix: 'Use the list form, CMD ["program", "argument"], or begin the line with exec.',
  },
  "image-tag-floating": {
    level: "note",
    tier: "both",
    title: "A base image without a digest",
    breaks: "The next build may contain something else than the one that was tested.",
    fix: "Pin it: FROM image:tag@sha256:…",
  },
  "image-port-mismatch": {
    level: "error",
    tier: "fargate",
    title: "The image and the configuration disagree about the port",
    breaks: "The balancer's health checks reach nothing, and no task becomes healthy.",
    fix: "Let PORT, EXPOSE and `port` of the configuration name the same port.",
  },
  "image-platform-mismatch": {
    level: "error",
    tier: "both",
    title: "The image is built for another processor",
    breaks: "Neither tier can start it: exec format error.",
    fix: "Build for `lambda.architecture`, or change it.",
  },
  "listen-loopback": {
    level: "error",
    tier: "fargate",
    title: "The service listens on 127.0.0.1",
    breaks: "In a task the balancer comes from outside: its health checks are refused.",
    fix: "Listen on process-wide 0.0.0.0 in the image, for example by a HOST variable.",
  },
  "port-hard-coded": {
    level: "error",
    tier: "both",
    title: "The port is fixed in the code",
    breaks: "The service is told its port by PORT; on another one it is never ready.",
    fix: "Listen on the port that the environment variable PORT names.",
  },
  "sigterm-ignored": {
    level: "warning",
    tier: "both",
    title: "SIGTERM is not handled",
    breaks: "Scale-in and deployments end the process at once: requests in flight are lost.",
    fix: "On SIGTERM stop listening, answer what is in flight, then exit.",
  },
  "keep-alive-short": {
    level: "warning",
    tier: "fargate",
    title: "Idle connections are closed before the balancer's 60 s",
    breaks: "A request that meets a closing connection becomes a 502.",
    fix: "Keep idle connections for 75 s (Node: server.keepAliveTimeout = 75_000).",
  },
  "write-outside-tmp": {
    level: "error",
    tier: "lambda",
    title: "A file is written outside of /tmp",
    breaks: "The file system is read-only on both tiers but for /tmp: EROFS.",
    fix: "Write below /tmp, or to storage that all instances share.",
  },
  "work-after-response": {
    level: "warning",
    tier: "lambda",
    title: "Work goes on after the answer, or between requests",
    breaks: "A Lambda environment freezes with its answer: the work waits, or never happens.",
    fix: "Await it before the answer, or hand it to a queue.",
  },
  "state-in-memory": {
    level: "warning",
    tier: "both",
    title: "State is kept in the memory of one process",
    breaks: "The next request may meet another environment or task, which does not have it.",
    fix: "Keep it in a database or a shared cache.",
  },
  websocket: {
    level: "error",
    tier: "lambda",
    title: "WebSocket",
    breaks: "The upgrade is refused on Lambda: clients connect on Fargate only.",
    fix: "Use requests or server-sent events, or an API Gateway WebSocket API beside it.",
  },
  "http2-grpc": {
    level: "error",
    tier: "lambda",
    title: "gRPC or HTTP/2 between the front and the service",
    breaks: "Only HTTP/1.1 reaches a service on Lambda.",
    fix: "Offer the same as HTTP/1.1 with JSON, or serve it elsewhere.",
  },
  "server-sent-events": {
    level: "warning",
    tier: "lambda",
    title: "Server-sent events",
    breaks: "Buffered, they arrive all at once when the answer ends, and it must end in 29 s.",
    fix: "AWS_LWA_INVOKE_MODE=response_stream with the REST front door; let clients reconnect.",
  },
  "client-address-first": {
    level: "warning",
    tier: "both",
    title: "The client's address is taken from the first X-Forwarded-For entry",
    breaks: "Whoever writes that header chooses the address: on AWS the balancer only appends.",
    fix: "Take the last entry, which the balancer or the front door wrote.",
  },
  "ignore-invalid": {
    level: "warning",
    tier: "both",
    title: "A lambdaflex-ignore comment that accepts nothing",
    breaks: "The finding that it should accept is still reported.",
    fix: "Write: lambdaflex-ignore RULE reason",
  },
  "differs-status": {
    level: "error",
    tier: "both",
    title: "Another status on one tier",
    breaks: "Clients meet another answer as soon as traffic moves.",
    fix: "See what the service saw on that tier; docs/parity.md lists what cannot be the same.",
  },
  "differs-headers": {
    level: "error",
    tier: "both",
    title: "Other headers on one tier",
    breaks: "Clients meet another answer as soon as traffic moves.",
    fix: "See what the service saw on that tier; docs/parity.md lists what cannot be the same.",
  },
  "differs-body": {
    level: "error",
    tier: "both",
    title: "Another body on one tier",
    breaks: "Clients meet another answer as soon as traffic moves.",
    fix: "See what the service saw on that tier; docs/parity.md lists what cannot be the same.",
  },
  "differs-unavoidably": {
    level: "note",
    tier: "both",
    title: "A difference that the tiers themselves make",
    breaks: "The tier's own limits show; docs/parity.md has the table.",
    fix: "Nothing in the service can change it; strict mode makes Fargate refuse alike.",
  },
  "answers-vary": {
    level: "note",
    tier: "both",
    title: "Two direct answers to the same request differ",
    breaks: "What changes by itself cannot be compared between tiers.",
    fix: "Nothing; everything else about the answer has been compared.",
  },
} as const;

/** The name of a rule. */
export type RuleId = keyof typeof catalogue;

/** All names, in the order of the catalogue. */
export const ruleIds: readonly RuleId[] = Object.keys(catalogue) as RuleId[];

/** A rule by its name. */
export function ruleOf(id: RuleId): Rule {
  return catalogue[id];
}

/** Whether a text names a rule. */
export function isRule(text: string): text is RuleId {
  return Object.hasOwn(catalogue, text);
}
