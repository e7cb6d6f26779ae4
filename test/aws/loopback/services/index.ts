/** Every emulated service. */
import type { Service } from "../service.ts";
import { cloudformation } from "./cloudformation/index.ts";
import { cloudwatch } from "./cloudwatch/index.ts";
import { dynamodb } from "./dynamodb/index.ts";
import { ecs } from "./ecs/index.ts";
import { elbv2 } from "./elbv2/index.ts";
import { lambda } from "./lambda/index.ts";
import { route53 } from "./route53/index.ts";
import { sns } from "./sns/index.ts";
import { ssm } from "./ssm/index.ts";
import { sts } from "./sts/index.ts";
import { tagging } from "./tagging/index.ts";

/** By the name in a signature's scope. */
export const services: ReadonlyMap<string, Service> = new Map(
  [cloudformation, cloudwatch, dynamodb, ecs, elbv2, lambda, route53, sns, ssm, sts, tagging].map(
    (service) => [service.scope, service],
  ),
);
