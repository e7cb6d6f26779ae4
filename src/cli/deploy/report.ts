/** What a deployment came to, in words. */
import { sentence } from "./recovery.ts";
import type { UpdateResult } from "./update.ts";

const digest = (image: string): string => image.slice(image.indexOf("@") + 1);

/** The text on standard output. */
export function updateReport(result: UpdateResult): string {
  const { app, account, region, image, url, burst, failures, leftBehind, ok, unchanged } = result;
  const head = ok
    ? `${app} is deployed in ${account}/${region}${unchanged ? " (nothing had to change)" : ""}`
    : `${app} is not deployed as asked in ${account}/${region}; traffic is served as before`;
  const lines = [
    head,
    `  image   ${digest(image)}`,
    `  burst   ${burstText(result)}`,
    ...(url === null ? [] : [`  url     ${url}`]),
    ...takeoverLines(result),
    ...failures.map((failure) => `failed: ${sentence(failure)}`),
    ...leftBehind.map((what) => `left behind, may be billed: ${what}`),
    ok
      ? "next: lambdaflex status --on aws, lambdaflex logs --on aws, lambdaflex destroy"
      : "next: repair what the reason names, then run the command again",
  ];
  if (burst.state === "failed") lines.splice(-1, 0, `failed: ${burst.reason}`);
  return `${lines.join("\n")}\n`;
}

function takeoverLines({ takeover }: UpdateResult): readonly string[] {
  if (takeover === null) return [];
  const { domain } = takeover;
  if (!takeover.ok) return [`failed: ${domain} was not taken over: ${takeover.reason}`];
  return [
    `  taken   ${domain}, which led to ${takeover.former}`,
    `  keep    the old service running for ${takeover.keepSeconds} s: clients may go on to it`,
    `  undo    ${takeover.undo}`,
  ];
}

function burstText({ burst }: UpdateResult): string {
  switch (burst.state) {
    case "absent":
      return "none: Lambda serves";
    case "updated":
      return "runs the same image";
    case "leaving":
      return "on its way out, with the image that it has";
    case "pending":
      return `follows: ${burst.reason}; see lambdaflex status --on aws`;
    case "failed":
      return "did not take the image: no weight moves to it until it does";
  }
}
