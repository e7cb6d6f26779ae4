/** Turns what AWS and its SDK refuse for the user's own reasons into coded mistakes. */
import { UserError } from "../../config/errors.ts";

interface SdkError {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
  readonly cause?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
}

const anyOf = (...names: readonly string[]): RegExp => new RegExp(`^(${names.join("|")})$`);

const noCredentials = anyOf(
  "CredentialsProviderError",
  "AuthenticationError",
  "TokenProviderError",
);
const badCredentials = anyOf(
  "ExpiredToken(Exception)?",
  "RequestExpired",
  "InvalidClientTokenId",
  "UnrecognizedClientException",
  "InvalidSignatureException",
  "SignatureDoesNotMatch",
  "InvalidAccessKeyId",
  "AuthFailure",
  "IncompleteSignature",
  "MissingAuthenticationToken",
);
const denied = anyOf(
  "AccessDenied(Exception)?",
  "UnauthorizedOperation",
  "Forbidden",
  "NotAuthorized.*",
);
const unreachable = anyOf(
  ...["ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "EHOSTUNREACH", "ENETUNREACH"],
  ...["ETIMEDOUT", "TimeoutError"],
);

/** The mistake behind an error of the SDK or the CDK; the error itself if it is none. */
export function asAwsMistake(error: unknown): unknown {
  if (error instanceof UserError || error === null || typeof error !== "object") return error;
  const { name, code, cause, message } = error as SdkError;
  const text = typeof message === "string" ? message : "";
  const is = (pattern: RegExp): boolean => [name, code].some((word) => pattern.test(String(word)));
  if (is(badCredentials) || /SSO session.*(expired|invalid)|token.*expired/i.test(text)) {
    const hint =
      "Sign in again (aws sso login, or new keys), and check that the clock of this machine " +
      "is right.";
    return new UserError("AWS_CREDENTIALS_EXPIRED", `AWS refuses the credentials: ${text}`, hint);
  }
  if (is(noCredentials) || /could not load credentials|no credentials/i.test(text)) {
    const hint =
      "Set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run aws configure.";
    return new UserError("AWS_CREDENTIALS_MISSING", "there are no AWS credentials", hint);
  }
  if (is(denied)) {
    const hint = "docs/deploy.md lists what whoever deploys must be allowed.";
    return new UserError("AWS_ACCESS_DENIED", text, hint);
  }
  if (is(unreachable)) {
    const hint = "Check the network and that the region exists: --region, AWS_REGION.";
    return new UserError("AWS_UNREACHABLE", `no answer from AWS: ${text || String(code)}`, hint);
  }
  if (cause !== undefined) return orOriginal(asAwsMistake(cause), error);
  return isAnswer(error as SdkError) ? failed(error as SdkError) : error;
}

/** Whether AWS has answered, with an error. */
function isAnswer({ $metadata: metadata, name }: SdkError): boolean {
  return metadata?.httpStatusCode !== undefined && typeof name === "string";
}

function failed({ name, message, $metadata: metadata }: SdkError): UserError {
  const id = metadata?.requestId === undefined ? "" : ` (request ${metadata.requestId})`;
  const hint = "Run the command again: it goes on where it stopped.";
  return new UserError("AWS_FAILED", `${name}: ${message}${id}`, hint);
}

function orOriginal(found: unknown, original: unknown): unknown {
  return found instanceof UserError ? found : original;
}

/** Whether an error of the SDK has one of these names. */
export function isNamed(error: unknown, ...names: readonly string[]): boolean {
  return error instanceof Error && names.includes(error.name);
}
