/** What `cdk bootstrap` leaves in an account, as far as deployments ask for it. */
import { addRepository } from "./repositories.ts";
import { arnOf, type World } from "./world.ts";

const qualifier = "hnb659fds";

/** Bootstraps the account; its roles may be assumed. Service-linked roles exist as well. */
export function bootstrap(world: World, version = 30): void {
  const suffix = `${world.account}-${world.region}`;
  world.parameters.set(`/cdk-bootstrap/${qualifier}/version`, String(version));
  world.buckets.set(`cdk-${qualifier}-assets-${suffix}`, new Map());
  addRepository(world, `cdk-${qualifier}-container-assets-${suffix}`, {});
  const roles = ["deploy-role", "file-publishing-role", "image-publishing-role", "lookup-role"];
  const own = roles.map((role) => `cdk-${qualifier}-${role}-${suffix}`);
  const linked = [
    "AWSServiceRoleForECS",
    "AWSServiceRoleForElasticLoadBalancing",
    "AWSServiceRoleForApplicationAutoScaling_ECSService",
  ];
  for (const name of [...own, `cdk-${qualifier}-cfn-exec-role-${suffix}`, ...linked]) {
    const arn = arnOf(world, "iam", `role/${name}`);
    world.roles.set(name, { name, arn, trust: {}, policies: new Map() });
  }
}
