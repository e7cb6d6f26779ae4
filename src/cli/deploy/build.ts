/** From a folder, or from the name of an image, to an image that both tiers can run. */
import { ECRClient } from "@aws-sdk/client-ecr";
import { UserError } from "../../config/errors.ts";
import type { LoadedConfig } from "../../config/index.ts";
import { deploymentNames } from "../../core/deployment.ts";
import { clientOf, type Session } from "../aws/session.ts";
import type { Screen } from "../screen.ts";
import { buildImage, platformOf, pushImage } from "./docker.ts";
import {
  ensureRepository,
  type ImageFacts,
  parseImage,
  readImage,
  registryLogin,
  requirePlatform,
} from "./image.ts";

/** What the image is made from. */
export interface ImageSource {
  readonly session: Session;
  readonly loaded: LoadedConfig;
  /** An image that exists already, instead of a build. */
  readonly given: string | null;
  readonly screen: Screen;
  readonly signal: AbortSignal;
}

/** Name of the image by digest, checked. Throws UserError IMAGE_…, DOCKER_… or NAME_TAKEN. */
export async function imageToDeploy(source: ImageSource): Promise<string> {
  const { session, loaded, given } = source;
  const client = new ECRClient(clientOf(session));
  const { architecture } = loaded.config.lambda;
  if (given === null) return builtImage(source, client);
  const { repository, digest } = parseImage(given, session.region);
  const facts = await readImage(client, repository, { imageDigest: digest });
  if (facts === null) {
    const hint = "Push it first, or leave --image out: then it is built from the Dockerfile.";
    throw new UserError("IMAGE_NOT_FOUND", `${repository.uri} has no image ${digest}`, hint);
  }
  requirePlatform(facts, architecture);
  return `${repository.uri}@${digest}`;
}

/** Lines of the build that are shown while it goes on. */
const shownLines = 6;

async function builtImage(source: ImageSource, client: ECRClient): Promise<string> {
  const { loaded, screen, signal } = source;
  const { config, folder } = loaded;
  const { architecture } = config.lambda;
  const names = deploymentNames(config.name);
  screen.say(`building the image for ${platformOf(architecture)}`);
  const last: string[] = [];
  const onLine = (line: string): void => {
    last.push(`  ${line}`);
    if (last.length > shownLines) last.shift();
    screen.picture(last);
    screen.plain(`  ${line}`);
  };
  const local = `${names.repository}:latest`;
  const id = await buildImage({ folder, architecture, name: local, onLine, signal });
  const { repository, made } = await ensureRepository(client, names.repository, config.name);
  if (made) screen.say(`made the ECR repository ${repository.name}`);
  // The tag is the image's own id, so that the same image is never pushed twice.
  const imageTag = id.replace(/^sha256:/, "").slice(0, 40);
  const facts = await pushedImage(source, client, { repository, imageTag, local, onLine });
  requirePlatform(facts, architecture);
  screen.say(`image ${facts.digest} for ${facts.system}/${facts.processor}`);
  return `${repository.uri}@${facts.digest}`;
}

interface Push {
  readonly repository: Awaited<ReturnType<typeof ensureRepository>>["repository"];
  readonly imageTag: string;
  readonly local: string;
  readonly onLine: (line: string) => void;
}

async function pushedImage(
  { screen, signal }: ImageSource,
  client: ECRClient,
  { repository, imageTag, local, onLine }: Push,
): Promise<ImageFacts> {
  const before = await readImage(client, repository, { imageTag });
  if (before !== null) {
    screen.say("the image is in its repository already");
    return before;
  }
  screen.say(`pushing the image to ${repository.uri}`);
  const login = await registryLogin(client, repository.uri);
  await pushImage(local, `${repository.uri}:${imageTag}`, login, onLine, signal);
  const after = await readImage(client, repository, { imageTag });
  if (after !== null) return after;
  const message = `${repository.uri} does not have ${imageTag} although it was pushed`;
  throw new UserError("IMAGE_PUSH_FAILED", message, "Run the command again.");
}
