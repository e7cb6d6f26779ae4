/** The tagging API: what exists, by tag and type. */
import type { GetResourcesCommandInput } from "@aws-sdk/client-resource-groups-tagging-api";
import { access, operation, type Service } from "../../service.ts";
import { json } from "../../wire/json.ts";

/** Resources on one page, few enough that callers have to turn pages. */
const pageSizeMax = 5;

function typeOf(arn: string): string {
  const [, , service = "", , , ...rest] = arn.split(":");
  return `${service}:${rest.join(":").split(/[/:]/)[0]}`;
}

/** The service. */
export const tagging: Service = {
  scope: "tagging",
  protocol: json,
  operations: {
    GetResources: operation<GetResourcesCommandInput>(
      (input, world) => {
        const found = [...world.tagged].filter(([arn, { tags }]) => {
          const types = input.ResourceTypeFilters ?? [];
          const fits = ({ Key = "", Values = [] }: { Key?: string; Values?: string[] }): boolean =>
            tags[Key] !== undefined && (Values.length === 0 || Values.includes(tags[Key]));
          const ofType =
            types.length === 0 ||
            types.some((type) => typeOf(arn) === type || arn.split(":")[2] === type);
          return ofType && (input.TagFilters ?? []).every(fits);
        });
        const from = Number(input.PaginationToken || 0);
        const size = Math.min(pageSizeMax, input.ResourcesPerPage ?? pageSizeMax);
        const next = from + size < found.length ? String(from + size) : "";
        return {
          ResourceTagMappingList: found.slice(from, from + size).map(([arn, { tags }]) => ({
            ResourceARN: arn,
            Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
          })),
          PaginationToken: next,
        };
      },
      () => access("tag:GetResources", "*"),
    ),
  },
};
