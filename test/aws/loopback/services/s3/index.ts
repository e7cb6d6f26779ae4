/** S3: the buckets that assets are published to. */
import { createHash } from "node:crypto";
import type { World } from "../../../world/world.ts";
import { access, operation, type Service } from "../../service.ts";
import { AwsError } from "../../wire/protocol.ts";
import { restXml } from "../../wire/rest.ts";
import { withoutChunks } from "./chunks.ts";

interface ObjectInput {
  readonly Bucket: string;
  readonly Key: string;
  readonly prefix?: string;
  readonly Body?: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

function bucketOf(world: World, name: string): Map<string, Buffer> {
  const bucket = world.buckets.get(name);
  if (!bucket) throw new AwsError("NoSuchBucket", "The specified bucket does not exist", 404);
  return bucket;
}

const objectArn = ({ Bucket, Key }: ObjectInput): string => `arn:aws:s3:::${Bucket}/${Key}`;
const bucketArn = ({ Bucket }: ObjectInput): string => `arn:aws:s3:::${Bucket}`;

function listObjects(input: ObjectInput, world: World): object {
  const found = [...bucketOf(world, input.Bucket)].filter(([key]) =>
    key.startsWith(input.prefix ?? ""),
  );
  return {
    Name: input.Bucket,
    IsTruncated: false,
    KeyCount: found.length,
    Contents: found.map(([Key, body]) => ({
      Key,
      Size: body.length,
      LastModified: new Date(world.nowMs),
    })),
  };
}

/** The service. */
export const s3: Service = {
  scope: "s3",
  protocol: restXml(
    [
      { action: "GetBucketLocation", method: "GET", path: "/{Bucket}", query: "location" },
      { action: "GetBucketEncryption", method: "GET", path: "/{Bucket}", query: "encryption" },
      { action: "ListObjectsV2", method: "GET", path: "/{Bucket}", query: "list-type" },
      { action: "HeadBucket", method: "HEAD", path: "/{Bucket}" },
      { action: "HeadObject", method: "HEAD", path: "/{Bucket}/{Key+}" },
      { action: "PutObject", method: "PUT", path: "/{Bucket}/{Key+}" },
      { action: "GetObject", method: "GET", path: "/{Bucket}/{Key+}" },
    ],
    (list) => (list === "Contents" ? null : "member"),
  ),
  operations: {
    GetBucketLocation: operation<ObjectInput>(
      (input, world) => {
        bucketOf(world, input.Bucket);
        return Buffer.from(`<LocationConstraint>${locationOf(world)}</LocationConstraint>`);
      },
      (input) => access("s3:GetBucketLocation", bucketArn(input)),
    ),
    GetBucketEncryption: operation<ObjectInput>(
      (input, world) => {
        bucketOf(world, input.Bucket);
        const wrap = (name: string, inner: string): string => `<${name}>${inner}</${name}>`;
        const algorithm = wrap("SSEAlgorithm", "AES256");
        const rule = wrap("Rule", wrap("ApplyServerSideEncryptionByDefault", algorithm));
        return Buffer.from(wrap("ServerSideEncryptionConfiguration", rule));
      },
      (input) => access("s3:GetEncryptionConfiguration", bucketArn(input)),
    ),
    ListObjectsV2: operation<ObjectInput>(listObjects, (input) =>
      access("s3:ListBucket", bucketArn(input)),
    ),
    HeadBucket: operation<ObjectInput>(
      (input, world) => {
        bucketOf(world, input.Bucket);
        return Buffer.alloc(0);
      },
      (input) => access("s3:ListBucket", bucketArn(input)),
    ),
    HeadObject: operation<ObjectInput>(
      (input, world) => {
        const found = bucketOf(world, input.Bucket).has(input.Key);
        if (!found) throw new AwsError("NotFound", "Not Found", 404);
        return Buffer.alloc(0);
      },
      (input) => access("s3:GetObject", objectArn(input)),
    ),
    PutObject: operation<ObjectInput>(
      (input, world) => {
        const body = withoutChunks(input.Body ?? Buffer.alloc(0), input.headers ?? {});
        bucketOf(world, input.Bucket).set(input.Key, body);
        return Buffer.from(createHash("md5").update(body).digest("hex"));
      },
      (input) => access("s3:PutObject", objectArn(input)),
    ),
    GetObject: operation<ObjectInput>(
      (input, world) => {
        const found = bucketOf(world, input.Bucket).get(input.Key);
        if (!found) throw new AwsError("NoSuchKey", "The specified key does not exist.", 404);
        return found;
      },
      (input) => access("s3:GetObject", objectArn(input)),
    ),
  },
};

/** The oldest region has no name of its own here. */
function locationOf(world: World): string {
  return world.region === "us-east-1" ? "" : world.region;
}
