/** EC2: the parts of a network that are billed by the hour, by their tags. */
import type { World } from "../../../world/world.ts";
import { access, operation, type Service } from "../../service.ts";
import { ec2Query } from "../../wire/ec2.ts";

/** As the protocol sends filters: `Filter.1.Name`, `Filter.1.Value.1`. */
interface Filtered {
  readonly Filter?: Readonly<Record<string, Filter>>;
}

interface Filter {
  readonly Name: string;
  readonly Value: Readonly<Record<string, string>>;
}

/** Ids of the resources of a kind whose tags fit every filter on tags. */
function found(world: World, kind: string, { Filter: filters = {} }: Filtered): readonly string[] {
  const wanted = Object.values(filters).filter(({ Name }) => Name.startsWith("tag:"));
  return [...world.tagged].flatMap(([arn, { tags }]) => {
    const [type, id = ""] = (arn.split(":")[5] ?? "").split("/");
    const fits = wanted.every(({ Name, Value }) =>
      Object.values(Value).includes(tags[Name.slice("tag:".length)] ?? ""),
    );
    return type === kind && fits ? [id] : [];
  });
}

/** The service. */
export const ec2: Service = {
  scope: "ec2",
  protocol: ec2Query,
  operations: {
    DescribeNatGateways: operation<Filtered>(
      (input, world) => ({
        natGatewaySet: found(world, "natgateway", input).map((natGatewayId) => {
          return { natGatewayId, state: "available" };
        }),
      }),
      () => access("ec2:DescribeNatGateways", "*"),
    ),
    DescribeAddresses: operation<Filtered>(
      (input, world) => ({
        addressesSet: found(world, "elastic-ip", input).map((allocationId) => ({ allocationId })),
      }),
      () => access("ec2:DescribeAddresses", "*"),
    ),
  },
};
