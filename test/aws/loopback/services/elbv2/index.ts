/** ELBv2: balancers, target groups and the health of their targets. */
import type {
  DeleteLoadBalancerCommandInput,
  DescribeLoadBalancersCommandInput,
  DescribeTagsCommandInput,
  DescribeTargetGroupsCommandInput,
  DescribeTargetHealthCommandInput,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import type { Task } from "../../../world/ecs.ts";
import { targetsOf } from "../../../world/elb.ts";
import { access, operation, type Service } from "../../service.ts";
import { AwsError } from "../../wire/protocol.ts";
import { query } from "../../wire/query.ts";

const reasons: Readonly<Record<Task["state"], string | undefined>> = {
  pending: undefined,
  initial: "Elb.RegistrationInProgress",
  healthy: undefined,
  unhealthy: "Target.FailedHealthChecks",
  draining: "Target.DeregistrationInProgress",
};

/** The service. */
export const elbv2: Service = {
  scope: "elasticloadbalancing",
  protocol: query,
  operations: {
    DescribeLoadBalancers: operation<DescribeLoadBalancersCommandInput>(
      (input, world) => {
        const all = [...world.balancers.values()];
        const { LoadBalancerArns: arns, Names: names } = input;
        const found = all.filter(
          ({ arn, name }) =>
            (arns === undefined || arns.includes(arn)) &&
            (names === undefined || names.includes(name)),
        );
        const wanted = (arns ?? []).length + (names ?? []).length;
        if (found.length < wanted) {
          const message = `Load balancers '[${[...(arns ?? []), ...(names ?? [])]}]' not found`;
          throw new AwsError("LoadBalancerNotFound", message);
        }
        return {
          LoadBalancers: found.map((balancer) => ({
            LoadBalancerArn: balancer.arn,
            LoadBalancerName: balancer.name,
            DNSName: balancer.dnsName,
            CanonicalHostedZoneId: balancer.zoneId,
            CreatedTime: new Date(balancer.createdMs),
            State: { Code: balancer.state },
            Scheme: "internet-facing",
            Type: "application",
          })),
        };
      },
      () => access("elasticloadbalancing:DescribeLoadBalancers", "*"),
    ),
    DeleteLoadBalancer: operation<DeleteLoadBalancerCommandInput>(
      (input, world) => {
        const arn = input.LoadBalancerArn ?? "";
        world.balancers.delete(arn);
        world.tagged.delete(arn);
        for (const [id, listener] of world.listeners) {
          if (listener.balancerArn === arn) world.listeners.delete(id);
        }
        return {};
      },
      (input, world) => {
        const arn = input.LoadBalancerArn ?? "";
        const tags = Object.entries(world.tagged.get(arn)?.tags ?? {});
        const context = Object.fromEntries(
          tags.map(([key, value]) => [`aws:ResourceTag/${key}`, value]),
        );
        return access("elasticloadbalancing:DeleteLoadBalancer", arn, context);
      },
    ),
    DescribeTargetGroups: operation<DescribeTargetGroupsCommandInput>(
      (input, world) => {
        const all = [...world.targetGroups.values()];
        const { TargetGroupArns: arns, Names: names } = input;
        const found = all.filter(
          ({ arn, name }) =>
            (arns === undefined || arns.includes(arn)) &&
            (names === undefined || names.includes(name)),
        );
        if (found.length === 0 && (arns ?? names ?? []).length > 0) {
          throw new AwsError("TargetGroupNotFound", "One or more target groups not found");
        }
        const groups = found.map(({ arn, name }) => ({
          TargetGroupArn: arn,
          TargetGroupName: name,
        }));
        return { TargetGroups: groups };
      },
      () => access("elasticloadbalancing:DescribeTargetGroups", "*"),
    ),
    DescribeTargetHealth: operation<DescribeTargetHealthCommandInput>(
      (input, world) => {
        const arn = input.TargetGroupArn ?? "";
        if (!world.targetGroups.has(arn)) {
          throw new AwsError("TargetGroupNotFound", "One or more target groups not found");
        }
        return {
          TargetHealthDescriptions: targetsOf(world, arn).map(({ ip, state }) => ({
            Target: { Id: ip, Port: 8080 },
            HealthCheckPort: "8080",
            TargetHealth: { State: state, Reason: reasons[state] },
          })),
        };
      },
      () => access("elasticloadbalancing:DescribeTargetHealth", "*"),
    ),
    DescribeTags: operation<DescribeTagsCommandInput>(
      (input, world) => {
        const arns = input.ResourceArns ?? [];
        if (arns.length === 0 || arns.length > 20) {
          throw new AwsError("ValidationError", "1 to 20 resources must be specified");
        }
        const tagsOf = (arn: string): readonly object[] =>
          Object.entries(world.tagged.get(arn)?.tags ?? {}).map(([Key, Value]) => ({ Key, Value }));
        return {
          TagDescriptions: arns.map((ResourceArn) => ({ ResourceArn, Tags: tagsOf(ResourceArn) })),
        };
      },
      () => access("elasticloadbalancing:DescribeTags", "*"),
    ),
  },
};
