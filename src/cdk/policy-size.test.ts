/** The size of a policy is what IAM counts, wherever it is known. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkPolicySize } from "./policy-size.ts";

const repeated = (pattern: RegExp) =>
  fc
    .tuple(fc.integer({ min: 0, max: 100 }), fc.stringMatching(pattern))
    .map(([count, text]): readonly string[] => Array(count).fill(text));

const statements = fc.array(
  fc.record({
    Effect: fc.constant("Allow"),
    Action: repeated(/^s3:[A-Z][a-z]{2,20}$/),
    Resource: repeated(/^arn:[a-z:/*"-]{20,60}$/),
    Condition: fc.option(fc.dictionary(fc.constant("StringEquals"), fc.constant({ "aws:a": "b" }))),
  }),
  { minLength: 1, maxLength: 3, size: "max" },
);

test("what is known is counted as IAM counts it", () => {
  let refused = 0;
  const runs = 300;
  fc.assert(
    fc.property(statements, (list) => {
      const { length } = JSON.stringify({ Version: "2012-10-17", Statement: list });
      if (length <= 6144) return checkPolicySize(list);
      refused += 1;
      return assert.throws(() => checkPolicySize(list), new RegExp(`${length} characters`));
    }),
    { numRuns: runs },
  );
  assert.ok(refused > 0 && refused < runs);
});

test("what only CloudFormation knows counts as nothing", () => {
  const arn = { "Fn::Join": [":", ["arn", { Ref: "AWS::Partition" }, "s3", "b".repeat(40)]] };
  const list = (count: number) => [{ Effect: "Allow", Resource: Array(count).fill(arn) }];
  checkPolicySize(list(119));
  assert.throws(() => checkPolicySize(list(120)), /IAM allows 6144/);
});
