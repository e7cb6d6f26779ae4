/** EventBridge Scheduler: the minute's tick. */
import { arnOf } from "../../../world/world.ts";
import { access, operation, type Service } from "../../service.ts";
import { AwsError } from "../../wire/protocol.ts";
import { restJson } from "../../wire/rest.ts";

/** The service. */
export const scheduler: Service = {
  scope: "scheduler",
  protocol: restJson([{ action: "GetSchedule", method: "GET", path: "/schedules/{Name}" }]),
  operations: {
    GetSchedule: operation<{ Name: string }>(
      (input, world) => {
        const found = world.schedules.get(input.Name);
        if (!found) {
          const message = `Schedule ${input.Name} does not exist.`;
          throw new AwsError("ResourceNotFoundException", message, 404);
        }
        return { Name: input.Name, State: found.state, ScheduleExpression: "rate(1 minute)" };
      },
      (input, world) =>
        access(
          "scheduler:GetSchedule",
          arnOf(world, "scheduler", `schedule/default/${input.Name}`),
        ),
    ),
  },
};
