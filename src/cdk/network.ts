/**
 * The network of the burst tier. It is free while nothing runs in it, so with warm standby it stays
 * in the base stack; with cold standby it comes and goes with the burst stack.
 */
import {
  CfnEIP,
  CfnInternetGateway,
  CfnNatGateway,
  CfnRoute,
  CfnRouteTable,
  CfnSecurityGroup,
  CfnSubnet,
  CfnSubnetRouteTableAssociation,
  CfnVPC,
  CfnVPCEndpoint,
  CfnVPCGatewayAttachment,
} from "aws-cdk-lib/aws-ec2";
import { Aws, type CfnResource, Fn } from "aws-cdk-lib/core";
import type { Construct } from "constructs";

/** A balancer needs two zones. */
const zones = [
  { name: "A", publicCidr: "10.73.0.0/20", privateCidr: "10.73.32.0/20" },
  { name: "B", publicCidr: "10.73.16.0/20", privateCidr: "10.73.48.0/20" },
] as const;

/** A network, by ids: made here, passed as parameters, or the user's own. */
export interface Network {
  readonly vpcId: string;
  readonly publicSubnetIds: readonly string[];
  /** Where tasks run; the public ones unless tasks are private. */
  readonly taskSubnetIds: readonly string[];
  /** Tables that a NAT gateway is entered in; none for public tasks or a network of the user's. */
  readonly privateRouteTableIds: readonly string[];
  /** What must be there before a balancer and tasks are, and go after them. */
  readonly ready: readonly CfnResource[];
}

/** Makes a VPC with public subnets, and private ones for private tasks. */
export function addNetwork(scope: Construct, tasks: "public" | "private"): Network {
  const vpc = new CfnVPC(scope, "Vpc", {
    cidrBlock: "10.73.0.0/16",
    enableDnsHostnames: true,
    enableDnsSupport: true,
  });
  const gateway = new CfnInternetGateway(scope, "InternetGateway");
  const attachment = new CfnVPCGatewayAttachment(scope, "GatewayAttachment", {
    vpcId: vpc.ref,
    internetGatewayId: gateway.ref,
  });
  const routeTable = new CfnRouteTable(scope, "PublicRoutes", { vpcId: vpc.ref });
  const route = new CfnRoute(scope, "PublicRoute", {
    routeTableId: routeTable.ref,
    destinationCidrBlock: "0.0.0.0/0",
    gatewayId: gateway.ref,
  });
  route.addResourceDependency(attachment);
  const open = zones.map((zone, at) => {
    return addSubnet(scope, `Public${zone.name}`, vpc, zone.publicCidr, at, routeTable);
  });
  const closed = (tasks === "private" ? zones : []).map((zone, at) => {
    const table = new CfnRouteTable(scope, `PrivateRoutes${zone.name}`, { vpcId: vpc.ref });
    return addSubnet(scope, `Private${zone.name}`, vpc, zone.privateCidr, at, table);
  });
  const tables = [routeTable, ...closed.map(({ table }) => table)];
  // Free, and most of an image's bytes come from S3: they need no NAT gateway and no public way.
  const endpoint = new CfnVPCEndpoint(scope, "S3Endpoint", {
    vpcId: vpc.ref,
    vpcEndpointType: "Gateway",
    serviceName: `com.amazonaws.${Aws.REGION}.s3`,
    routeTableIds: tables.map((table) => table.ref),
  });
  const publicSubnetIds = open.map(({ subnet }) => subnet.ref);
  return {
    vpcId: vpc.ref,
    publicSubnetIds,
    taskSubnetIds: tasks === "private" ? closed.map(({ subnet }) => subnet.ref) : publicSubnetIds,
    privateRouteTableIds: closed.map(({ table }) => table.ref),
    ready: [route, endpoint, ...[...open, ...closed].map(({ association }) => association)],
  };
}

interface Subnet {
  readonly subnet: CfnSubnet;
  readonly table: CfnRouteTable;
  readonly association: CfnSubnetRouteTableAssociation;
}

function addSubnet(
  scope: Construct,
  id: string,
  vpc: CfnVPC,
  cidrBlock: string,
  zone: number,
  table: CfnRouteTable,
): Subnet {
  const subnet = new CfnSubnet(scope, id, {
    vpcId: vpc.ref,
    cidrBlock,
    availabilityZone: Fn.select(zone, Fn.getAzs("")),
    mapPublicIpOnLaunch: false,
  });
  const association = new CfnSubnetRouteTableAssociation(scope, `${id}Routes`, {
    subnetId: subnet.ref,
    routeTableId: table.ref,
  });
  return { subnet, table, association };
}

/** Ids of the two security groups: only the balancer reaches a task. */
export interface SecurityGroups {
  readonly balancer: string;
  readonly tasks: string;
}

/** Makes the security groups. */
export function addSecurityGroups(scope: Construct, vpcId: string, port: number): SecurityGroups {
  const world = { ipProtocol: "tcp", cidrIp: "0.0.0.0/0" };
  const balancer = new CfnSecurityGroup(scope, "BalancerGroup", {
    groupDescription: "LambdaFlex balancer",
    vpcId,
    securityGroupIngress: [
      { ...world, fromPort: 443, toPort: 443, description: "HTTPS" },
      { ...world, fromPort: 80, toPort: 80, description: "redirected to HTTPS" },
    ],
  });
  const tasks = new CfnSecurityGroup(scope, "TaskGroup", {
    groupDescription: "LambdaFlex tasks, reached by the balancer alone",
    vpcId,
    securityGroupIngress: [
      {
        ipProtocol: "tcp",
        fromPort: port,
        toPort: port,
        sourceSecurityGroupId: balancer.attrGroupId,
        description: "from the balancer",
      },
    ],
  });
  return { balancer: balancer.attrGroupId, tasks: tasks.attrGroupId };
}

/** Gives private tasks a way out. It is paid by the hour, so it always belongs to the burst. */
export function addNat(scope: Construct, network: Network, gateways: number): CfnResource[] {
  const made = network.publicSubnetIds.slice(0, gateways).map((subnetId, at) => {
    const address = new CfnEIP(scope, `NatAddress${at + 1}`, { domain: "vpc" });
    const nat = new CfnNatGateway(scope, `Nat${at + 1}`, {
      subnetId,
      allocationId: address.attrAllocationId,
    });
    for (const part of network.ready) {
      address.addResourceDependency(part);
      nat.addResourceDependency(part);
    }
    return nat;
  });
  return network.privateRouteTableIds.map((routeTableId, at) => {
    return new CfnRoute(scope, `NatRoute${at + 1}`, {
      routeTableId,
      destinationCidrBlock: "0.0.0.0/0",
      natGatewayId: made[at % made.length]?.ref ?? "",
    });
  });
}
