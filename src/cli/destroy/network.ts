/** The parts of a network that are billed by the hour. EC2's client is large: load this late. */
import {
  DescribeAddressesCommand,
  EC2Client,
  paginateDescribeNatGateways,
} from "@aws-sdk/client-ec2";
import { appTag } from "../../core/deployment.ts";
import { clientOf, type Session } from "../aws/session.ts";

/** Private tasks have NAT gateways with an address each, which cost more than all the rest. */
export async function remainingNetwork(app: string, session: Session): Promise<readonly string[]> {
  const client = new EC2Client(clientOf(session));
  const ours = { Name: `tag:${appTag}`, Values: [app] };
  const alive = { Name: "state", Values: ["pending", "available", "deleting"] };
  const addresses = client.send(new DescribeAddressesCommand({ Filters: [ours] }));
  const found: string[] = [];
  for await (const page of paginateDescribeNatGateways({ client }, { Filter: [ours, alive] })) {
    found.push(...(page.NatGateways ?? []).map(({ NatGatewayId: id }) => `NAT gateway ${id}`));
  }
  const { Addresses = [] } = await addresses;
  return [...found, ...Addresses.map(({ AllocationId: id }) => `address ${id}`)];
}
