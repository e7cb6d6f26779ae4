/** Sends one shape in all ways and says what differs without being in the published table. */
import { ask } from "../../src/local/ask.ts";
import type { ThreeWays } from "../../src/local/three-ways.ts";
import { compareAnswers, compareSeen, type Diff } from "../../src/parity/compare.ts";
import { explain } from "../../src/parity/differences.ts";
import type { Observed, SeenRequest } from "../../src/parity/observed.ts";
import { refusableOf } from "../../src/parity/refusal.ts";
import type { Shape } from "./shapes.ts";

/** What came of a shape. */
export interface Verdict {
  readonly shape: Shape;
  /** Entries of the table that were needed. */
  readonly explained: readonly string[];
  readonly unexplained: readonly Diff[];
}

/** Headers of the answer that tell what was seen, and so differ with it. */
const telling = new Set(["x-seen", "content-length"]);

/** Runs one shape. */
export async function differ(
  ways: ThreeWays,
  shape: Shape,
  mode: "native" | "strict" = "native",
): Promise<Verdict> {
  const { request, options } = shape;
  const direct = await ask(ways.direct, request, options);
  const diffs: Diff[] = [];
  for (const tier of ["lambda", "fargate"] as const) {
    const there = await ask(ways[tier], request, options);
    const seen = shape.echoes ? [seenBy(direct), seenBy(there)] : [];
    const [one, other] = seen;
    if (one && other) diffs.push(...compareSeen(tier, one, other));
    const answers = [direct, there].map((observed) => (one && other ? untold(observed) : observed));
    diffs.push(...compareAnswers(tier, answers[0] as Observed, answers[1] as Observed));
  }
  return { shape, ...explain(diffs, refusableOf(request, direct), mode) };
}

function seenBy(observed: Observed): SeenRequest | null {
  if (observed.type === "none" || observed.status !== 200) return null;
  const header = observed.headers.find(([name]) => name.toLowerCase() === "x-seen")?.[1];
  const body = Buffer.from(observed.body).toString();
  const text = body === "" ? Buffer.from(header ?? "", "base64").toString() : body;
  return header === undefined ? null : (JSON.parse(text) as SeenRequest);
}

function untold(observed: Observed): Observed {
  if (observed.type === "none") return observed;
  const headers = observed.headers.filter(([name]) => !telling.has(name.toLowerCase()));
  return { ...observed, headers, body: new Uint8Array() };
}
