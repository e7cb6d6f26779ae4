/** The one image of both tiers: where it lies, and whether both tiers can run it. */
import {
  BatchGetImageCommand,
  CreateRepositoryCommand,
  DeleteRepositoryCommand,
  type Repository as DescribedRepository,
  DescribeRepositoriesCommand,
  type ECRClient,
  GetAuthorizationTokenCommand,
  GetDownloadUrlForLayerCommand,
  ListTagsForResourceCommand,
} from "@aws-sdk/client-ecr";
import { UserError } from "../../config/errors.ts";
import { appTag } from "../../core/deployment.ts";
import { isNamed } from "../aws/errors.ts";
import type { RegistryLogin } from "./docker.ts";

/** A repository of the private registry. */
export interface Repository {
  readonly account: string;
  readonly name: string;
  /** Registry and name, as images in it begin. */
  readonly uri: string;
}

/** An image that is named beyond doubt. */
export interface ImageReference {
  readonly repository: Repository;
  readonly digest: string;
}

/** Account, region and name, behind either of the registry's domain names. */
const ecr = new RegExp(
  "^(\\d{12})\\.dkr[.-]ecr\\.([a-z0-9-]+)\\.(?:amazonaws\\.com(?:\\.cn)?|on\\.aws)" +
    "/([a-z0-9][a-z0-9._/-]*)$",
);

/** Reads REPOSITORY@sha256:DIGEST. Throws UserError IMAGE_NOT_BY_DIGEST or IMAGE_NOT_IN_ECR. */
export function parseImage(text: string, region: string): ImageReference {
  const [, named = "", digest] = /^(.+)@(sha256:[0-9a-f]{64})$/.exec(text) ?? [];
  if (digest === undefined) {
    const message = `"${text}" does not name an image by its digest`;
    const hint = "Both tiers must run the same image: write REPOSITORY@sha256: and 64 hex digits.";
    throw new UserError("IMAGE_NOT_BY_DIGEST", message, hint);
  }
  const uri = named.replace(/:[^/:]+$/, "");
  const [, account = "", where, name = ""] = ecr.exec(uri) ?? [];
  if (where !== region) {
    const message = `${uri} is not a private ECR repository of ${region}`;
    const hint = "Lambda takes images of its own region's ECR only: push it there first.";
    throw new UserError("IMAGE_NOT_IN_ECR", message, hint);
  }
  return { repository: { account, name, uri }, digest };
}

/** Finds or makes the application's repository. Throws UserError NAME_TAKEN if it is another's. */
export async function ensureRepository(
  client: ECRClient,
  name: string,
  app: string,
): Promise<{ readonly repository: Repository; readonly made: boolean }> {
  const existing = await describe(client, name);
  if (existing !== null) {
    if (!(await isOurs(client, existing.repositoryArn ?? "", app)))
      throw repositoryTaken(name, app);
    return { repository: repositoryOf(existing), made: false };
  }
  const made = await client.send(
    new CreateRepositoryCommand({
      repositoryName: name,
      imageTagMutability: "IMMUTABLE",
      imageScanningConfiguration: { scanOnPush: true },
      tags: [{ Key: appTag, Value: app }],
    }),
  );
  return { repository: repositoryOf(made.repository ?? {}), made: true };
}

/** Removes the application's repository with all images; tells what became of it. */
export async function removeRepository(
  client: ECRClient,
  name: string,
  app: string,
): Promise<"absent" | "removed" | "another's"> {
  const found = await describe(client, name);
  if (found === null) return "absent";
  // Who gave --image may have a repository of that name, and its images have no copy.
  if (!(await isOurs(client, found.repositoryArn ?? "", app))) return "another's";
  await client.send(new DeleteRepositoryCommand({ repositoryName: name, force: true }));
  return "removed";
}

async function describe(client: ECRClient, name: string): Promise<DescribedRepository | null> {
  try {
    const command = new DescribeRepositoriesCommand({ repositoryNames: [name] });
    return (await client.send(command)).repositories?.[0] ?? null;
  } catch (error) {
    if (isNamed(error, "RepositoryNotFoundException")) return null;
    throw error;
  }
}

async function isOurs(client: ECRClient, arn: string, app: string): Promise<boolean> {
  const { tags = [] } = await client.send(new ListTagsForResourceCommand({ resourceArn: arn }));
  return tags.some(({ Key, Value }) => Key === appTag && Value === app);
}

function repositoryTaken(name: string, app: string): UserError {
  const message = `an ECR repository ${name} exists that lambdaflex has not made for ${app}`;
  const hint = `Choose another "name" in the configuration, or give --image.`;
  return new UserError("NAME_TAKEN", message, hint);
}

function repositoryOf(described: DescribedRepository): Repository {
  const {
    repositoryName: name = "",
    repositoryUri: uri = "",
    registryId: account = "",
  } = described;
  return { account, name, uri };
}

/** What docker needs to push into the registry. */
export async function registryLogin(client: ECRClient, uri: string): Promise<RegistryLogin> {
  const { authorizationData } = await client.send(new GetAuthorizationTokenCommand({}));
  const token = authorizationData?.[0]?.authorizationToken ?? "";
  const [user = "", password = ""] = Buffer.from(token, "base64").toString("utf8").split(/:(.*)/s);
  return { registry: uri.split("/", 1)[0] ?? uri, user, password };
}

/** What is known of an image in the registry. */
export interface ImageFacts {
  readonly digest: string;
  readonly system: string;
  /** As images call it: amd64, arm64. */
  readonly processor: string;
}

const single = [
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
];
const several = [
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.index.v1+json",
];

/** Reads an image by tag or digest; `null` if there is none. Throws UserError IMAGE_PLATFORM. */
export async function readImage(
  client: ECRClient,
  repository: Repository,
  which: { readonly imageTag: string } | { readonly imageDigest: string },
): Promise<ImageFacts | null> {
  const place = { repositoryName: repository.name, registryId: repository.account };
  const { images = [] } = await client
    .send(
      new BatchGetImageCommand({
        ...place,
        imageIds: [which],
        acceptedMediaTypes: [...single, ...several],
      }),
    )
    .catch((error) => {
      if (isNamed(error, "RepositoryNotFoundException")) return { images: [] };
      throw error;
    });
  const [image] = images;
  if (image === undefined) return null;
  const manifest = JSON.parse(image.imageManifest ?? "{}") as Manifest;
  if (manifest.config?.digest === undefined) throw severalImages(repository, manifest);
  const { downloadUrl = "" } = await client.send(
    new GetDownloadUrlForLayerCommand({ ...place, layerDigest: manifest.config.digest }),
  );
  const answer = await fetch(downloadUrl, { signal: AbortSignal.timeout(30_000) });
  const { os = "unknown", architecture = "unknown" } = (await answer.json()) as ImageConfig;
  const digest = image.imageId?.imageDigest ?? "";
  return { digest, system: os, processor: architecture };
}

interface Manifest {
  readonly config?: { readonly digest?: string };
  readonly manifests?: readonly { readonly platform?: ImageConfig }[];
}

interface ImageConfig {
  readonly os?: string;
  readonly architecture?: string;
}

function severalImages({ uri }: Repository, { manifests = [] }: Manifest): UserError {
  const platforms = manifests.map(({ platform = {} }) => `${platform.os}/${platform.architecture}`);
  return new UserError(
    "IMAGE_PLATFORM",
    `the image in ${uri} is a list of ${manifests.length} (${platforms.join(", ")})`,
    "Lambda takes one image: give the digest of one, or build with --provenance=false.",
  );
}

/** Throws UserError IMAGE_PLATFORM unless both tiers can run the image. */
export function requirePlatform(facts: ImageFacts, architecture: "arm64" | "x86_64"): void {
  const wanted = architecture === "arm64" ? "arm64" : "amd64";
  if (facts.system === "linux" && facts.processor === wanted) return;
  throw new UserError(
    "IMAGE_PLATFORM",
    `the image is for ${facts.system}/${facts.processor}, both tiers run linux/${wanted}`,
    "Build it with --platform, or change lambda.architecture in the configuration.",
  );
}
