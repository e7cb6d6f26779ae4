/** Compresses buffered answers on request of the client, with the adapter's exceptions. */
import type { Headers } from "./http-answer.ts";
import type { HttpAnswer } from "./http-client.ts";

/** Shorter bodies grow rather than shrink. */
const bodyBytesMin = 32;
/** Compressed already, or meant to be read before the end. */
const exempt = /^(?:image\/|application\/grpc|text\/event-stream)/i;
/** Better than gzip at about its cost; the default of 11 takes seconds for 6 MB. */
const brotliQuality = 4;

type Coding = "br" | "gzip";

/** The answer itself, or a compressed copy if the client and the type of the body allow it. */
export async function compressed(request: Headers, answer: HttpAnswer): Promise<HttpAnswer> {
  const value = (name: string): string =>
    answer.headers.find(([other]) => other.toLowerCase() === name)?.[1] ?? "";
  const untouched = value("content-encoding") || value("content-range");
  if (untouched || answer.body.length < bodyBytesMin || exempt.test(value("content-type"))) {
    return answer;
  }
  const coding = chooseCoding(request.find(([name]) => name === "accept-encoding")?.[1] ?? "");
  if (coding === null) return answer;
  // Loaded only where compression is on: it costs start-up time.
  const { brotliCompressSync, constants, gzipSync } = await import("node:zlib");
  const params = { [constants.BROTLI_PARAM_QUALITY]: brotliQuality };
  const body =
    coding === "br" ? brotliCompressSync(answer.body, { params }) : gzipSync(answer.body);
  const replaced = /^(?:content-length|accept-ranges)$/i;
  const headers: Headers = [
    ...answer.headers.filter(([name]) => !replaced.test(name)),
    ["content-encoding", coding],
    ["content-length", String(body.length)],
    ["vary", "accept-encoding"],
  ];
  return { ...answer, headers, body };
}

/** The coding with the highest weight; brotli among equals, `null` if neither is wanted. */
export function chooseCoding(accept: string): Coding | null {
  let best: Coding | null = null;
  let bestWeight = 0;
  for (const part of accept.toLowerCase().split(",")) {
    const [name = "", ...parameters] = part.split(";").map((text) => text.trim());
    if (name !== "br" && name !== "gzip") continue;
    const weightText = parameters.find((text) => text.startsWith("q="))?.slice(2);
    const weight = weightText === undefined ? 1 : Number(weightText) || 0;
    if (weight > bestWeight || (weight === bestWeight && weight > 0 && name === "br")) {
      best = name;
      bestWeight = weight;
    }
  }
  return best;
}
