/**
 * Secrets on Lambda. On Fargate ECS puts their values into the environment before the container
 * starts; Lambda does not, so the bootstrap does the same before it starts the service: the values
 * are in no configuration that anybody can read, and a new environment sees a rotated one.
 */
import { signedHeaders } from "./signature.ts";
import { VariableError } from "./variables.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Attempts per secret: Secrets Manager answers busy calls with an error that passes. */
const attempts = 3;
const timeoutMs = 3_000;

/** A secret may be so large; so is an environment's variable at most. */
const answerBytesMax = 128 * 1024;

/**
 * Reads the secrets that LAMBDAFLEX_SECRETS names, a JSON object of references by variable, all at
 * once. Throws VariableError, which names the variable and the reference but no value.
 */
export async function readSecrets(env: Environment): Promise<Readonly<Record<string, string>>> {
  const text = env.LAMBDAFLEX_SECRETS;
  // ECS reads them itself on Fargate, and elsewhere nobody has a role to read them with.
  if (!text || !env.AWS_LAMBDA_RUNTIME_API) return {};
  const entries = Object.entries(referencesOf(text));
  const values = await Promise.all(
    entries.map(async ([name, reference]) => {
      try {
        return [name, await readSecret(reference, env)] as const;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new VariableError(`${name} cannot be read from ${reference}: ${reason}`);
      }
    }),
  );
  return Object.fromEntries(values);
}

function referencesOf(text: string): Readonly<Record<string, string>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return value as Record<string, string>;
    }
  } catch {
    // The same message as for JSON of another kind.
  }
  throw new VariableError("LAMBDAFLEX_SECRETS is no JSON object of references by variable");
}

/** A reference in the form of ECS, taken apart. */
interface Reference {
  readonly service: "secretsmanager" | "ssm";
  readonly region: string;
  readonly arn: string;
  readonly key: string;
  readonly stage: string;
  readonly version: string;
}

async function readSecret(reference: string, env: Environment): Promise<string> {
  const parsed = parseReference(reference);
  const { service, arn, key, stage, version } = parsed;
  if (service === "ssm") {
    const input = { Names: [arn], WithDecryption: true };
    const answer = await call(parsed, "AmazonSSM.GetParameters", input, env);
    const [parameter] = (answer.Parameters ?? []) as { readonly Value?: string }[];
    if (parameter?.Value === undefined) throw new Error("there is no such parameter");
    return parameter.Value;
  }
  const input = {
    SecretId: arn,
    ...(stage && { VersionStage: stage }),
    ...(version && { VersionId: version }),
  };
  const { SecretString: secret } = await call(parsed, "secretsmanager.GetSecretValue", input, env);
  if (typeof secret !== "string") throw new Error("the secret holds bytes, not text");
  return key === "" ? secret : valueIn(secret, key);
}

function parseReference(reference: string): Reference {
  const parts = reference.split(":");
  const [, , service, region = ""] = parts;
  if (service !== "secretsmanager" && service !== "ssm") {
    throw new Error("expected the ARN of a secret or of a parameter");
  }
  const [key = "", stage = "", version = ""] = service === "ssm" ? [] : parts.slice(7);
  const arn = service === "ssm" ? reference : parts.slice(0, 7).join(":");
  return { service, region, arn, key, stage, version };
}

function valueIn(secret: string, key: string): string {
  let values: unknown;
  try {
    values = JSON.parse(secret);
  } catch {
    throw new Error(`the secret is no JSON, so it has no key ${key}`);
  }
  const value = Object(values)[key] as unknown;
  if (value === undefined) throw new Error(`the secret has no key ${key}`);
  return typeof value === "string" ? value : JSON.stringify(value);
}

type Answer = Readonly<Record<string, unknown>>;

async function call(
  { service, region, arn }: Reference,
  target: string,
  input: object,
  env: Environment,
): Promise<Answer> {
  const suffix = arn.startsWith("arn:aws-cn:") ? "amazonaws.com.cn" : "amazonaws.com";
  const url = new URL(env.AWS_ENDPOINT_URL || `https://${service}.${region}.${suffix}/`);
  const body = JSON.stringify(input);
  for (let attempt = 1; ; attempt += 1) {
    const headers = signedHeaders({ url, service, region, target, body, nowMs: Date.now() }, env);
    const { status, text } = await post(url, headers, body);
    if (status === 200) return JSON.parse(text) as Answer;
    const passes = status >= 500 || /Throttl|TooManyRequests/.test(text);
    if (!passes || attempt === attempts) throw new Error(failureOf(status, text));
    await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** attempt));
  }
}

async function post(
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<{ readonly status: number; readonly text: string }> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, { method: "POST", headers, body, signal, redirect: "error" });
    const text = await response.text();
    if (text.length > answerBytesMax) throw new Error("the answer is too large");
    return { status: response.status, text };
  } catch (error) {
    // A failed connection is like a busy service: it may pass.
    return { status: 599, text: JSON.stringify({ message: (error as Error).message }) };
  }
}

/** The kind of the error and its message; an error's answer holds no secret. */
function failureOf(status: number, text: string): string {
  try {
    const { __type: type = `status ${status}`, message, Message } = JSON.parse(text);
    return `${String(type).replace(/^.*#/, "")}: ${message ?? Message ?? ""}`.slice(0, 500);
  } catch {
    return `status ${status}`;
  }
}
