/** Image repositories of the account. */
import type { World } from "./world.ts";

/** An image: its digest, and what its configuration says. */
export interface Image {
  readonly digest: string;
  readonly tags: readonly string[];
  readonly configDigest: string;
  readonly os: string;
  readonly architecture: string;
}

/** A repository. */
export interface Repository {
  readonly name: string;
  readonly uri: string;
  readonly tags: Readonly<Record<string, string>>;
  /** By digest. */
  readonly images: Map<string, Image>;
}

/** Makes a repository. */
export function addRepository(
  world: World,
  name: string,
  tags: Readonly<Record<string, string>>,
): Repository {
  const uri = `${world.account}.dkr.ecr.${world.region}.amazonaws.com/${name}`;
  const made: Repository = { name, uri, tags, images: new Map() };
  world.repositories.set(name, made);
  return made;
}

/** Pushes an image; answers its address by digest. */
export function pushImage(
  repository: Repository,
  digest: string,
  platform: Partial<Omit<Image, "digest" | "configDigest">> = {},
): string {
  const { os = "linux", architecture = "arm64", tags = [] } = platform;
  const configDigest = `sha256:config-${digest.slice(7, 20)}`;
  repository.images.set(digest, { digest, tags, configDigest, os, architecture });
  return `${repository.uri}@${digest}`;
}

/** The configuration of an image, as the registry hands it out. */
export function imageConfig(world: World, configDigest: string): string | null {
  for (const { images } of world.repositories.values()) {
    for (const image of images.values()) {
      if (image.configDigest !== configDigest) continue;
      return JSON.stringify({ os: image.os, architecture: image.architecture });
    }
  }
  return null;
}
