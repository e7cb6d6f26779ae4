/** CloudFormation: requests that are accepted at once and show their progress later. */

import { objectOf, textOf } from "../../../world/json.ts";
import {
  continueRollback,
  createStack,
  deleteStack,
  updateStack,
} from "../../../world/stacks/lifecycle.ts";
import { findStack, isVisible, type StackRecord } from "../../../world/stacks/stack.ts";
import type { World } from "../../../world/world.ts";
import { access, type Operation, operation, type Service } from "../../service.ts";
import { query } from "../../wire/query.ts";
import { accepted } from "./accepted.ts";
import { changeSets } from "./change-sets.ts";
import { describeEvent, describeResource, describeStack } from "./describe.ts";
import {
  noSuchStack,
  requireStack,
  type StackInput,
  stackAccess,
  stackRequest,
} from "./request.ts";
import { oncePerToken } from "./tokens.ts";

/** Events on one page, few enough that callers have to turn pages. */
const pageSize = 20;

interface DeleteInput extends StackInput {
  readonly RetainResources?: readonly string[];
  readonly DeletionMode?: string;
}

interface PageInput extends StackInput {
  readonly NextToken?: string;
}

/** One page of a list, and the token of the next. */
function page<Item>(
  items: readonly Item[],
  token: string | undefined,
): { readonly items: readonly Item[]; readonly NextToken: string | undefined } {
  const from = Number(token ?? 0);
  const next = from + pageSize < items.length ? String(from + pageSize) : undefined;
  return { items: items.slice(from, from + pageSize), NextToken: next };
}

function describeStacks(input: Partial<PageInput>, world: World): object {
  if (input.StackName !== undefined) {
    const stack = requireStack(world, input.StackName);
    if (!isVisible(world, stack)) throw noSuchStack(input.StackName);
    return { Stacks: [describeStack(world, stack)] };
  }
  const living = world.stacks.filter(({ status }) => status !== "DELETE_COMPLETE");
  return { Stacks: living.map((stack) => describeStack(world, stack)) };
}

const about =
  (run: (stack: StackRecord, input: PageInput) => object) => (input: PageInput, world: World) =>
    run(requireStack(world, input.StackName), input);

const changing: Readonly<Record<string, Operation>> = {
  CreateStack: operation<StackInput>(
    (input, world) =>
      oncePerToken(world, input.ClientRequestToken, `CreateStack ${input.StackName}`, () =>
        accepted(() => {
          const stack = createStack(world, input.StackName, stackRequest(world, input, null));
          stack.protected = input.EnableTerminationProtection === "true";
          return { StackId: stack.id };
        }),
      ),
    stackAccess("CreateStack"),
  ),
  UpdateStack: operation<StackInput>((input, world) => {
    const stack = requireStack(world, input.StackName);
    return oncePerToken(world, input.ClientRequestToken, `UpdateStack ${stack.id}`, () =>
      accepted(() => {
        updateStack(world, stack, stackRequest(world, input, stack));
        return { StackId: stack.id };
      }),
    );
  }, stackAccess("UpdateStack")),
  DeleteStack: operation<DeleteInput>((input, world) => {
    const stack = findStack(world, input.StackName);
    if (!stack) return {};
    const token = input.ClientRequestToken;
    const retain = input.RetainResources ?? [];
    const force = input.DeletionMode === "FORCE_DELETE_STACK";
    return oncePerToken(world, token, `DeleteStack ${stack.id}`, () =>
      accepted(() => {
        deleteStack(world, stack, { token: token ?? "", retain, force });
        return {};
      }),
    );
  }, stackAccess("DeleteStack")),
  ContinueUpdateRollback: operation<StackInput>((input, world) => {
    const stack = requireStack(world, input.StackName);
    const request = `ContinueUpdateRollback ${stack.id}`;
    return oncePerToken(world, input.ClientRequestToken, request, () =>
      accepted(() => {
        continueRollback(world, stack);
        return {};
      }),
    );
  }, stackAccess("ContinueUpdateRollback")),
  UpdateTerminationProtection: operation<StackInput>((input, world) => {
    const stack = requireStack(world, input.StackName);
    stack.protected = input.EnableTerminationProtection === "true";
    return { StackId: stack.id };
  }, stackAccess("UpdateTerminationProtection")),
};

const reading: Readonly<Record<string, Operation>> = {
  DescribeStacks: operation<PageInput>(describeStacks, stackAccess("DescribeStacks")),
  DescribeStackEvents: operation<PageInput>(
    about((stack, input) => {
      const { items, NextToken } = page([...stack.events].reverse(), input.NextToken);
      return { StackEvents: items.map((event) => describeEvent(stack, event)), NextToken };
    }),
    stackAccess("DescribeStackEvents"),
  ),
  DescribeStackResources: operation<PageInput>(
    about((stack) => ({
      StackResources: [...stack.resources.values()].map((one) => describeResource(stack, one)),
    })),
    stackAccess("DescribeStackResources"),
  ),
  ListStackResources: operation<PageInput>(
    about((stack, input) => {
      const { items, NextToken } = page([...stack.resources.values()], input.NextToken);
      const StackResourceSummaries = items.map((one) => describeResource(stack, one));
      return { StackResourceSummaries, NextToken };
    }),
    stackAccess("ListStackResources"),
  ),
  GetTemplate: operation<PageInput>(
    about((stack) => ({
      TemplateBody: stack.request.templateBody,
      StagesAvailable: ["Original", "Processed"],
    })),
    stackAccess("GetTemplate"),
  ),
  GetTemplateSummary: operation<StackInput>((input, world) => {
    const existing = input.StackName ? requireStack(world, input.StackName) : null;
    const { template } = existing?.request ?? stackRequest(world, input, null);
    const declared = Object.keys(objectOf(template.Parameters));
    const types = Object.values(template.Resources).map((one) => textOf(objectOf(one).Type));
    return {
      Parameters: declared.map((ParameterKey) => ({ ParameterKey })),
      ResourceTypes: [...new Set(types)],
      Capabilities: ["CAPABILITY_NAMED_IAM"],
    };
  }, stackAccess("GetTemplateSummary")),
  ListExports: operation<object>(
    () => ({ Exports: [] }),
    () => access("cloudformation:ListExports", "*"),
  ),
  DescribeEvents: operation<PageInput>(
    about((stack, input) => {
      const { items, NextToken } = page([...stack.events].reverse(), input.NextToken);
      return { OperationEvents: items.map((event) => describeEvent(stack, event)), NextToken };
    }),
    stackAccess("DescribeEvents"),
  ),
};

/** The service. */
export const cloudformation: Service = {
  scope: "cloudformation",
  protocol: query,
  operations: { ...changing, ...reading, ...changeSets },
};
