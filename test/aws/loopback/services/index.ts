/** Every emulated service. */
import type { Service } from "../service.ts";
import { acm } from "./acm/index.ts";
import { cloudformation } from "./cloudformation/index.ts";
import { cloudtrail } from "./cloudtrail/index.ts";
import { cloudwatch } from "./cloudwatch/index.ts";
import { dynamodb } from "./dynamodb/index.ts";
import { ec2 } from "./ec2/index.ts";
import { ecr } from "./ecr/index.ts";
import { ecs } from "./ecs/index.ts";
import { elbv2 } from "./elbv2/index.ts";
import { iam } from "./iam/index.ts";
import { lambda } from "./lambda/index.ts";
import { logs } from "./logs/index.ts";
import { route53 } from "./route53/index.ts";
import { s3 } from "./s3/index.ts";
import { scheduler } from "./scheduler/index.ts";
import { secrets } from "./secretsmanager/index.ts";
import { serviceQuotas } from "./service-quotas/index.ts";
import { sns } from "./sns/index.ts";
import { ssm } from "./ssm/index.ts";
import { sts } from "./sts/index.ts";
import { tagging } from "./tagging/index.ts";

const all: readonly Service[] = [
  acm,
  cloudformation,
  cloudtrail,
  cloudwatch,
  dynamodb,
  ec2,
  ecr,
  ecs,
  elbv2,
  iam,
  lambda,
  logs,
  route53,
  s3,
  scheduler,
  secrets,
  serviceQuotas,
  sns,
  ssm,
  sts,
  tagging,
];

/** By the name in a signature's scope. */
export const services: ReadonlyMap<string, Service> = new Map(
  all.map((service) => [service.scope, service]),
);
