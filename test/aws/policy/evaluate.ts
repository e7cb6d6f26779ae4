/** IAM policies, evaluated for the requests that the loopback saw. */
import type { AccessRequest } from "../loopback/service.ts";
import { isObject, type Json, listOf, objectOf, textOf } from "../world/json.ts";
import type { World } from "../world/world.ts";

/** One statement of a policy that allows something. */
export interface Statement {
  readonly policy: string;
  readonly sid: string;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** Operator → key → values. */
  readonly conditions: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

const asList = (json: Json | undefined): readonly string[] =>
  Array.isArray(json) ? listOf(json).map(textOf) : json === undefined ? [] : [textOf(json)];

/** The statements of a policy document. Deny and Not… are not in use, so they are an error. */
export function statementsOf(policy: string, document: unknown): readonly Statement[] {
  return listOf(objectOf(document as Json).Statement).map((json) => {
    const { Sid, Effect, Action, Resource, Condition, ...rest } = objectOf(json);
    if (Effect !== "Allow" || Object.keys(rest).length > 0) {
      throw new Error(`unsupported statement in ${policy}: ${JSON.stringify(json)}`);
    }
    const conditions = Object.entries(objectOf(Condition)).map(([operator, keys]) => [
      operator,
      Object.fromEntries(
        Object.entries(isObject(keys) ? keys : {}).map(([key, value]) => [key, asList(value)]),
      ),
    ]);
    return {
      policy,
      sid: textOf(Sid),
      actions: asList(Action),
      resources: asList(Resource),
      conditions: Object.fromEntries(conditions),
    };
  });
}

/** Every statement of a role's inline policies. */
export function roleStatements(world: World, roleArn: string): readonly Statement[] {
  const role = [...world.roles.values()].find(({ arn }) => arn === roleArn);
  if (!role) throw new Error(`no role ${roleArn}`);
  return [...role.policies].flatMap(([name, document]) => statementsOf(name, document));
}

/** Whether `*` and `?` of the pattern cover the text. */
export function matches(pattern: string, text: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "s").test(text);
}

type Test = (allowed: readonly string[], given: readonly string[]) => boolean;

const some =
  (equal: (allowed: string, given: string) => boolean): Test =>
  (allowed, given) =>
    given.some((one) => allowed.some((other) => equal(other, one)));

const operators: Readonly<Record<string, Test>> = {
  StringEquals: some((allowed, given) => allowed === given),
  StringLike: some(matches),
  ArnEquals: some(matches),
  ArnLike: some(matches),
  "ForAllValues:StringEquals": (allowed, given) => given.every((one) => allowed.includes(one)),
};

/** Whether a statement allows a request. */
export function allows(statement: Statement, asked: AccessRequest): boolean {
  const action = statement.actions.some((pattern) =>
    matches(pattern.toLowerCase(), asked.action.toLowerCase()),
  );
  if (!action || !statement.resources.some((pattern) => covers(pattern, asked.resource))) {
    return false;
  }
  return Object.entries(statement.conditions).every(([operator, keys]) =>
    Object.entries(keys).every(([key, allowed]) => {
      const test = operators[operator.replace(/IfExists$/, "")];
      if (!test) throw new Error(`unsupported operator ${operator}`);
      const given = asked.context[key];
      if (given === undefined && operator.endsWith("IfExists")) return true;
      return test(allowed, given === undefined ? [] : [given].flat());
    }),
  );
}

/** A call that knows no resource is only allowed on all of them. */
function covers(pattern: string, resource: string): boolean {
  return resource === "*" ? pattern === "*" : matches(pattern, resource);
}

/** Lets whoever is named act as a role, and everybody else do everything. */
export function policyGuard(
  world: World,
  roleArn: string,
  isCaller: (accessKey: string) => boolean,
): (caller: string, asked: AccessRequest) => string | null {
  return (caller, asked) => {
    if (!isCaller(caller)) return null;
    // A deployment changes the policy with the template that it pins.
    const statements = roleStatements(world, roleArn);
    return statements.some((one) => allows(one, asked)) ? null : "AccessDenied";
  };
}
