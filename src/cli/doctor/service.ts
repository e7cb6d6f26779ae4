/** Checks of one service: its domain, its name, its image, and the machine that builds it. */
import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { ECRClient } from "@aws-sdk/client-ecr";
import type { LoadedConfig } from "../../config/index.ts";
import { deploymentNames } from "../../core/deployment.ts";
import { readClaim, requireFree, requireTakeable } from "../aws/claim.ts";
import { findZone, requireCertificate } from "../aws/domain.ts";
import { clientOf, type Session } from "../aws/session.ts";
import { isBusy, readStack } from "../aws/stacks.ts";
import { dockerEngine, platformOf } from "../deploy/docker.ts";
import { parseImage, readImage, requirePlatform } from "../deploy/image.ts";
import { requireOurs, requireUnclaimed } from "../deploy/ownership.ts";
import { type Finding, fine, warning } from "./finding.ts";

/**
 * The zone and the certificate of the domain, and that its name is free or ours, or that it can be
 * taken over if `take` says so. Throws UserError ZONE_…, CERTIFICATE_…, DOMAIN_….
 */
export async function checkDomain(
  session: Session,
  { config }: LoadedConfig,
  take = false,
): Promise<readonly Finding[]> {
  const { domain, hostedZoneId, certificateArn } = config;
  if (domain === null) {
    return [
      warning(
        "domain",
        "none",
        "DNS moves the traffic: without a domain the service stays on Lambda.",
        'Set "domain" to a name in a public hosted zone of the account.',
      ),
    ];
  }
  const zone = await findZone(session, domain, hostedZoneId);
  const claim = await readClaim(session, zone, domain);
  if (take) requireTakeable(claim);
  else requireFree(claim);
  const found = [fine("domain", `${domain} in the public zone ${zone.name} (${zone.id})`)];
  if (certificateArn === null)
    return [...found, fine("certificate", "made by the stack, for free")];
  await requireCertificate(session, domain, certificateArn);
  return [...found, fine("certificate", "issued, in this region, covers the domain")];
}

/** Whether the name is free or ours, and the stack in a state that can be deployed. */
export async function checkName(session: Session, { config }: LoadedConfig): Promise<Finding> {
  const { baseStack: name, burstStack } = deploymentNames(config.name);
  const client = new CloudFormationClient(clientOf(session));
  const [stack, burst] = await Promise.all([
    readStack(client, name),
    readStack(client, burstStack),
  ]);
  if (burst !== null) requireOurs(burst, config.name);
  if (stack === null) {
    await requireUnclaimed(session, config.name);
    return fine("name", `${config.name} is free`);
  }
  requireOurs(stack, config.name);
  if (isBusy(stack) || !/_FAILED$|^ROLLBACK_COMPLETE$/.test(stack.status)) {
    return fine("name", `${config.name} is deployed: ${name} is ${stack.status}`);
  }
  return warning(
    "name",
    `${config.name} is deployed, but ${name} is ${stack.status}`,
    "CloudFormation does not leave this state by itself.",
    "lambdaflex deploy brings it out of it, or says what is in the way.",
  );
}

/** Whether this machine can build the image. Throws UserError DOCKER_MISSING. */
export async function checkDocker({ config }: LoadedConfig): Promise<Finding> {
  const engine = await dockerEngine();
  const platform = platformOf(config.lambda.architecture);
  if (engine === platform) return fine("docker", `an engine of ${engine}`);
  return warning(
    "docker",
    `the engine is ${engine}, the image is built for ${platform}`,
    "Emulation makes the build slow, and without it a RUN line fails.",
    `docker run --privileged --rm tonistiigi/binfmt --install all, build on ${platform}, ` +
      "or change lambda.architecture.",
  );
}

/** Whether the image that is deployed fits the configuration. Throws UserError IMAGE_PLATFORM. */
export async function checkImage(session: Session, { config }: LoadedConfig): Promise<Finding> {
  const name = deploymentNames(config.name).baseStack;
  const stack = await readStack(new CloudFormationClient(clientOf(session)), name);
  const image = stack?.outputs.ImageUri;
  if (image === undefined) return fine("image", "none deployed yet");
  const { repository, digest } = parseImage(image, session.region);
  const client = new ECRClient(clientOf(session));
  const facts = await readImage(client, repository, { imageDigest: digest });
  if (facts === null) {
    return warning(
      "image",
      `${image} is no longer in its repository`,
      "Lambda keeps a copy, but tasks of the burst tier cannot start.",
      "Deploy again.",
    );
  }
  requirePlatform(facts, config.lambda.architecture);
  return fine("image", `${digest.slice(0, 19)} for ${facts.system}/${facts.processor}`);
}
