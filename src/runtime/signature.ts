/**
 * AWS Signature Version 4 for one kind of request: a POST of JSON to `/`. The SDK would be larger
 * than the bootstrap a hundred times over. Source: AWS General Reference, "Signing AWS requests".
 */

/** An import would be hoisted to the top of the bundle, and load where there are no secrets. */
const { createHash, createHmac } = process.getBuiltinModule("node:crypto");

/** What is signed. */
export interface SignedRequest {
  readonly url: URL;
  readonly service: string;
  readonly region: string;
  /** The operation: `x-amz-target`. */
  readonly target: string;
  readonly body: string;
  readonly nowMs: number;
}

const algorithm = "AWS4-HMAC-SHA256";

/** The headers of the request with its signature, by the credentials of the environment. */
export function signedHeaders(
  { url, service, region, target, body, nowMs }: SignedRequest,
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const time = new Date(nowMs).toISOString().replace(/[-:]|\.\d{3}/g, "");
  const scope = [time.slice(0, 8), region, service, "aws4_request"];
  const token = env.AWS_SESSION_TOKEN;
  const headers: Readonly<Record<string, string>> = {
    "content-type": "application/x-amz-json-1.1",
    host: url.host,
    "x-amz-date": time,
    ...(token && { "x-amz-security-token": token }),
    "x-amz-target": target,
  };
  const names = Object.keys(headers).join(";");
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  const canonical = ["POST", "/", "", lines.join(""), names, digest(body)].join("\n");
  const text = [algorithm, time, scope.join("/"), digest(canonical)].join("\n");
  const key = scope.reduce<string | Buffer>(
    (secret, part) => createHmac("sha256", secret).update(part).digest(),
    `AWS4${env.AWS_SECRET_ACCESS_KEY ?? ""}`,
  );
  const signature = createHmac("sha256", key).update(text).digest("hex");
  const credential = `${env.AWS_ACCESS_KEY_ID ?? ""}/${scope.join("/")}`;
  // fetch writes the host itself.
  const { host: _, ...sent } = headers;
  return {
    ...sent,
    authorization:
      `${algorithm} Credential=${credential}, SignedHeaders=${names}, ` + `Signature=${signature}`,
  };
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
