/** What woke the controller. The event carries nothing that is believed: AWS is asked instead. */

/** Who called. */
export type Waker = "schedule" | "alarm" | "somebody";

/** The input that the schedule sends. */
export const scheduleInput = { source: "tick" } as const;

/** Tells from the shape of the event; anything unknown is somebody who wants a tick now. */
export function wakerOf(event: unknown): Waker {
  if (typeof event !== "object" || event === null) return "somebody";
  if ("alarmData" in event || "alarmArn" in event) return "alarm";
  const { source } = event as { readonly source?: unknown };
  return source === scheduleInput.source ? "schedule" : "somebody";
}
