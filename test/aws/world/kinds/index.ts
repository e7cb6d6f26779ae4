/** The kind of each type of resource. */
import { balancingKinds } from "./balancing.ts";
import { containerKinds } from "./containers.ts";
import type { Kind } from "./kind.ts";
import { customKind, permanentKinds, plainKind } from "./permanent.ts";

const kinds: Readonly<Record<string, Kind>> = {
  ...permanentKinds,
  ...balancingKinds,
  ...containerKinds,
};

/** How resources of a type behave. */
export function kindOf(type: string): Kind {
  return kinds[type] ?? (type.startsWith("Custom::") ? customKind : plainKind);
}
