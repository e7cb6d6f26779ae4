import assert from "node:assert/strict";
import { test } from "node:test";
import { type ErrorCode, UserError } from "../config/errors.ts";
import { lookOrSay } from "./look-again.ts";

test("an answer that did not come is told and looked for again; a refusal ends it", async () => {
  const said: string[] = [];
  const look = (code: ErrorCode) => () => Promise.reject(new UserError(code, "no answer", "wait"));
  const say = (line: string): void => void said.push(line);
  assert.equal(await lookOrSay(async () => 7, say), 7);
  assert.equal(await lookOrSay(look("AWS_UNREACHABLE"), say), null);
  assert.equal(await lookOrSay(look("AWS_FAILED"), say), null);
  assert.deepEqual(said, ["no answer; looking again", "no answer; looking again"]);
  await assert.rejects(lookOrSay(look("AWS_ACCESS_DENIED"), say), /no answer/);
  await assert.rejects(lookOrSay(look("NOTHING_RUNNING"), say), /no answer/);
  await assert.rejects(
    lookOrSay(() => Promise.reject(new Error("a bug")), say),
    /a bug/,
  );
});
