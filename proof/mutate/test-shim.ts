/**
 * Stands in for `node:test` while mutants are judged: collects tests and runs them one after the
 * other until the first one fails. The real runner cannot run the same file a second time.
 */

type Body = (context: TestContext) => unknown;
type Hook = () => unknown;

/** What a test may ask of its context. */
interface TestContext {
  test(name: string, body: Body): Promise<void>;
  after(hook: Hook): void;
}

interface Case {
  readonly name: string;
  readonly body: Body;
  readonly before: readonly Hook[];
  readonly after: readonly Hook[];
}

const cases: Case[] = [];
let beforeEachHooks: readonly Hook[] = [];
let afterEachHooks: readonly Hook[] = [];
let path: readonly string[] = [];

/** Registers one test. */
export function test(name: string, body: Body): void {
  cases.push({
    name: [...path, name].join(" › "),
    body,
    before: beforeEachHooks,
    after: afterEachHooks,
  });
}

/** Groups tests; its body runs at once. */
export function describe(name: string, body: () => void): void {
  const outside = [path, beforeEachHooks, afterEachHooks] as const;
  path = [...path, name];
  body();
  [path, beforeEachHooks, afterEachHooks] = outside;
}

/** Runs before each of the following tests of the group. */
export function beforeEach(hook: Hook): void {
  beforeEachHooks = [...beforeEachHooks, hook];
}

/** Runs after each of the following tests of the group. */
export function afterEach(hook: Hook): void {
  afterEachHooks = [...afterEachHooks, hook];
}

/** The usual other name. */
export const it: typeof test = test;

/** Runs what was registered since the last call; answers the first failure, `null` if none. */
export async function firstFailure(): Promise<string | null> {
  for (const { name, body, before, after } of cases.splice(0)) {
    const cleanUp: Hook[] = [...after];
    const context: TestContext = {
      test: async (_, inner) => void (await inner(context)),
      after: (hook) => void cleanUp.push(hook),
    };
    try {
      for (const hook of before) await hook();
      await body(context);
    } catch (error) {
      cases.length = 0;
      return `${name}: ${String(error).split("\n")[0]}`;
    } finally {
      for (const hook of cleanUp) await hook();
    }
  }
  return null;
}
