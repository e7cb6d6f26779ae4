/** CloudWatch Logs: lines of a group, oldest first, in pages. */
import type { FilterLogEventsCommandInput } from "@aws-sdk/client-cloudwatch-logs";
import { arnOf } from "../../../world/world.ts";
import { access, operation, type Service } from "../../service.ts";
import { json } from "../../wire/json.ts";
import { AwsError } from "../../wire/protocol.ts";

const pageMax = 50;

/** The service. */
export const logs: Service = {
  scope: "logs",
  protocol: json,
  operations: {
    FilterLogEvents: operation<FilterLogEventsCommandInput>(
      (input, world) => {
        const name = input.logGroupName ?? input.logGroupIdentifier ?? "";
        const group = world.logGroups.get(name);
        if (!group) {
          const message = "The specified log group does not exist.";
          throw new AwsError("ResourceNotFoundException", message);
        }
        const found = group
          .filter(({ atMs }) => atMs >= (input.startTime ?? 0))
          .filter(({ atMs }) => atMs <= (input.endTime ?? Number.MAX_SAFE_INTEGER))
          .filter(({ stream }) => stream.startsWith(input.logStreamNamePrefix ?? ""))
          .filter(({ message }) => message.includes(plain(input.filterPattern)))
          .sort((a, b) => a.atMs - b.atMs);
        const from = Number(input.nextToken ?? 0);
        const size = Math.min(pageMax, input.limit ?? pageMax);
        return {
          events: found.slice(from, from + size).map((event) => ({
            // The same however it is asked for.
            eventId: `${event.atMs}-${event.stream}-${group.indexOf(event)}`,
            timestamp: event.atMs,
            ingestionTime: event.atMs + 1_000,
            logStreamName: event.stream,
            message: event.message,
          })),
          ...(from + size < found.length && { nextToken: String(from + size) }),
        };
      },
      (input, world) =>
        access("logs:FilterLogEvents", arnOf(world, "logs", `log-group:${input.logGroupName}`)),
    ),
    DescribeLogGroups: operation<{ logGroupNamePrefix?: string }>(
      (input, world) => ({
        logGroups: [...world.logGroups.keys()]
          .filter((name) => name.startsWith(input.logGroupNamePrefix ?? ""))
          .map((logGroupName) => ({
            logGroupName,
            arn: `${arnOf(world, "logs", `log-group:${logGroupName}`)}:*`,
          })),
      }),
      (_input, world) => access("logs:DescribeLogGroups", arnOf(world, "logs", "log-group:*")),
    ),
  },
};

/** A filter pattern in quotes is the text between them. */
function plain(pattern: string | undefined): string {
  return (pattern ?? "").replaceAll('"', "");
}
