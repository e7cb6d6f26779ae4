/** SNS: messages to a topic. */
import type { PublishCommandInput } from "@aws-sdk/client-sns";
import { access, operation, type Service } from "../../service.ts";
import { query } from "../../wire/query.ts";

/** The service. */
export const sns: Service = {
  scope: "sns",
  protocol: query,
  operations: {
    Publish: operation<PublishCommandInput>(
      (input, world) => {
        world.published.push({
          atMs: world.nowMs,
          topic: input.TopicArn ?? "",
          subject: input.Subject ?? "",
          message: input.Message ?? "",
        });
        return { MessageId: world.uniqueId(36) };
      },
      (input) => access("sns:Publish", input.TopicArn ?? ""),
    ),
  },
};
