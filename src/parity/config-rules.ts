/** What the configuration itself says about both tiers, beyond being valid. */
import type { Hit } from "./finding.ts";
import { lambdaBodyBytesMax } from "./patterns.ts";

/** The parts of the configuration that rules look at. */
export interface ConfigFacts {
  /** The file's text, to find lines in. */
  readonly text: string;
  readonly env: Readonly<Record<string, string>>;
  readonly frontDoor: "http" | "rest";
  readonly startSeconds: number;
  readonly requests: readonly { readonly path: string; readonly body: unknown }[];
}

/** Real seconds after which Lambda ends the init phase. */
const initSeconds = 10;

/** All hits in a configuration. */
export function configHits(facts: ConfigFacts): readonly Hit[] {
  const { env, frontDoor } = facts;
  const hits: Hit[] = [];
  const streams = env.AWS_LWA_INVOKE_MODE?.toLowerCase() === "response_stream";
  if (streams && frontDoor === "http") {
    const line = lineOf(facts.text, "AWS_LWA_INVOKE_MODE");
    const message = "answers are streamed, and the front door is an HTTP API";
    hits.push({ rule: "stream-needs-rest", line, message });
  }
  const waits = env.AWS_LWA_ASYNC_INIT?.toLowerCase() === "true";
  if (facts.text.includes("readiness") && facts.startSeconds > 30 && !waits) {
    const line = lineOf(facts.text, "timeoutSeconds");
    const message = `it may take ${facts.startSeconds} s to start, init ends at ${initSeconds}`;
    hits.push({ rule: "start-slow", line, message });
  }
  for (const { path, body } of facts.requests) {
    const line = lineOf(facts.text, path);
    if (frontDoor === "http" && /%2f|%3f|%25/i.test(path.split("?")[0] ?? "")) {
      hits.push({ rule: "encoded-path", line, message: `load.requests has ${path}` });
    }
    const text = typeof body === "string" ? body : JSON.stringify(body ?? "");
    if (text.length > lambdaBodyBytesMax) {
      hits.push({
        rule: "payload-over-limit",
        line,
        message: `${path} is sent ${text.length} bytes`,
      });
    }
  }
  return hits;
}

function lineOf(text: string, needle: string): number {
  const at = text.indexOf(needle);
  return at < 0 ? 1 : text.slice(0, at).split("\n").length;
}
