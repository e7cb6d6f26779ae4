import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../../config/errors.ts";
import { asAwsMistake } from "./errors.ts";

const named = (name: string, message = "why", more: object = {}): Error =>
  Object.assign(new Error(message), { name, ...more });

test("what AWS refuses for the user's own reasons has a code", () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ["AWS_CREDENTIALS_MISSING", named("CredentialsProviderError")],
    ["AWS_CREDENTIALS_MISSING", new Error("Could not load credentials from any providers")],
    ["AWS_CREDENTIALS_EXPIRED", named("ExpiredTokenException")],
    ["AWS_CREDENTIALS_EXPIRED", named("CredentialsProviderError", "The SSO session has expired")],
    ["AWS_CREDENTIALS_EXPIRED", named("InvalidClientTokenId")],
    ["AWS_ACCESS_DENIED", named("AccessDenied", "User: x is not authorized to perform: y")],
    ["AWS_UNREACHABLE", named("Error", "getaddrinfo", { code: "ENOTFOUND" })],
    ["AWS_UNREACHABLE", named("TimeoutError")],
    ["AWS_FAILED", named("LimitExceeded", "too many", { $metadata: { httpStatusCode: 400 } })],
    ["AWS_CREDENTIALS_EXPIRED", named("DeploymentError", "x", { cause: named("ExpiredToken") })],
  ];
  for (const [code, error] of cases) {
    const found = asAwsMistake(error);
    assert.ok(found instanceof UserError, `${code}: ${error}`);
    assert.equal(found.code, code);
    assert.notEqual(found.hint, "");
  }
});

test("what is no mistake stays what it is", () => {
  const mistake = new UserError("NAME_TAKEN", "x", "y");
  for (const error of [named("ValidationError"), mistake, null, "text", undefined]) {
    assert.equal(asAwsMistake(error), error);
  }
  const wrapped = named("Error", "outer", { cause: named("Error", "inner") });
  assert.equal(asAwsMistake(wrapped), wrapped);
});
