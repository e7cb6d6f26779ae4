/** ECR: repositories and what lies in them. */
import type {
  BatchGetImageCommandInput,
  CreateRepositoryCommandInput,
  DeleteRepositoryCommandInput,
  DescribeImagesCommandInput,
  DescribeRepositoriesCommandInput,
  GetDownloadUrlForLayerCommandInput,
  ListTagsForResourceCommandInput,
} from "@aws-sdk/client-ecr";
import { addRepository, type Repository } from "../../../world/repositories.ts";
import { arnOf, type World } from "../../../world/world.ts";
import { type AccessRequest, access, operation, type Service } from "../../service.ts";
import { json } from "../../wire/json.ts";
import { AwsError } from "../../wire/protocol.ts";

function repositoryOf(world: World, name: string | undefined): Repository {
  const found = world.repositories.get(name ?? "");
  if (found) return found;
  const message = `The repository with name '${name}' does not exist in the registry`;
  throw new AwsError("RepositoryNotFoundException", message);
}

function describe(world: World, { name, uri }: Repository): object {
  return {
    repositoryName: name,
    repositoryUri: uri,
    repositoryArn: arnOf(world, "ecr", `repository/${name}`),
    registryId: world.account,
  };
}

const accessTo =
  (action: string) =>
  (
    input: { readonly repositoryName?: string | undefined },
    world: World,
  ): readonly AccessRequest[] =>
    access(`ecr:${action}`, arnOf(world, "ecr", `repository/${input.repositoryName}`));

function batchGetImage(input: BatchGetImageCommandInput, world: World): object {
  const repository = repositoryOf(world, input.repositoryName);
  const all = [...repository.images.values()];
  const images = (input.imageIds ?? []).flatMap(({ imageDigest, imageTag }) => {
    const image = all.find(
      ({ digest, tags }) => digest === imageDigest || tags.includes(imageTag ?? ""),
    );
    if (!image) return [];
    const imageManifest = JSON.stringify({ config: { digest: image.configDigest } });
    return [{ imageId: { imageDigest: image.digest, imageTag }, imageManifest }];
  });
  return { images, failures: [] };
}

/** The service. */
export const ecr: Service = {
  scope: "ecr",
  protocol: json,
  operations: {
    DescribeRepositories: operation<DescribeRepositoriesCommandInput>(
      (input, world) => {
        const names = input.repositoryNames ?? [...world.repositories.keys()];
        const found = names.map((name) => repositoryOf(world, name));
        return { repositories: found.map((one) => describe(world, one)) };
      },
      (input, world) =>
        (input.repositoryNames ?? []).flatMap((repositoryName) =>
          accessTo("DescribeRepositories")({ repositoryName }, world),
        ),
    ),
    CreateRepository: operation<CreateRepositoryCommandInput>((input, world) => {
      const name = input.repositoryName ?? "";
      if (world.repositories.has(name)) {
        throw new AwsError("RepositoryAlreadyExistsException", `'${name}' already exists`);
      }
      const tags = (input.tags ?? []).map(({ Key = "", Value = "" }) => [Key, Value]);
      const made = addRepository(world, name, Object.fromEntries(tags));
      return { repository: describe(world, made) };
    }, accessTo("CreateRepository")),
    DeleteRepository: operation<DeleteRepositoryCommandInput>((input, world) => {
      const found = repositoryOf(world, input.repositoryName);
      if (found.images.size > 0 && input.force !== true) {
        throw new AwsError("RepositoryNotEmptyException", `'${found.name}' still contains images`);
      }
      world.repositories.delete(found.name);
      return { repository: { repositoryName: found.name } };
    }, accessTo("DeleteRepository")),
    ListTagsForResource: operation<ListTagsForResourceCommandInput>(
      (input, world) => {
        const { tags } = repositoryOf(world, (input.resourceArn ?? "").split("repository/")[1]);
        return { tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) };
      },
      (input) => access("ecr:ListTagsForResource", input.resourceArn ?? ""),
    ),
    BatchGetImage: operation<BatchGetImageCommandInput>(batchGetImage, accessTo("BatchGetImage")),
    DescribeImages: operation<DescribeImagesCommandInput>((input, world) => {
      const { images } = repositoryOf(world, input.repositoryName);
      const wanted = input.imageIds ?? [];
      const found = [...images.values()].filter(
        ({ digest, tags }) =>
          wanted.length === 0 ||
          wanted.some((id) => id.imageDigest === digest || tags.includes(id.imageTag ?? "")),
      );
      if (wanted.length > 0 && found.length === 0) {
        throw new AwsError("ImageNotFoundException", "The image requested does not exist");
      }
      return {
        imageDetails: found.map(({ digest, tags }) => ({ imageDigest: digest, imageTags: tags })),
      };
    }, accessTo("DescribeImages")),
    GetDownloadUrlForLayer: operation<GetDownloadUrlForLayerCommandInput>((input, world) => {
      const { layerDigest = "" } = input;
      return { layerDigest, downloadUrl: `${world.endpoint}/layers/${layerDigest}` };
    }, accessTo("GetDownloadUrlForLayer")),
    GetAuthorizationToken: operation<object>(
      (_input, world) => ({
        authorizationData: [
          {
            authorizationToken: Buffer.from("AWS:password").toString("base64"),
            proxyEndpoint: `https://${world.account}.dkr.ecr.${world.region}.amazonaws.com`,
          },
        ],
      }),
      () => access("ecr:GetAuthorizationToken", "*"),
    ),
  },
};
