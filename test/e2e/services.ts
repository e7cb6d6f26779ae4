/** Small services for the end-to-end tests: good ones, and one for each way to be bad. */

/** An HTTP server that answers everything with what `answer` (JavaScript) does. */
export function server(answer: string, before = ""): string {
  return `
const { createServer } = require("node:http");
let count = 0;
${before}
createServer((request, response) => {
  count += 1;
  ${answer}
}).listen(Number(process.env.PORT), "127.0.0.1");
`;
}

/** Answers everything with its tier. */
export const goodServer: string = server("response.end(process.env.LAMBDAFLEX_TIER)");

/** A configuration whose whole cycle takes few virtual minutes. */
export const quickConfig: Readonly<Record<string, unknown>> = {
  name: "quick",
  command: "node server.cjs",
  readiness: { timeoutSeconds: 30 },
  fargate: { minTasks: 1, maxTasks: 2, requestsPerTaskPerMinute: 100_000 },
  thresholds: {
    up: { requestsPerMinute: 600, periods: 1, of: 1 },
    down: { requestsPerMinute: 100, minutes: 2 },
  },
  transition: {
    stepPercents: [50, 100],
    bakeSeconds: 30,
    healthySeconds: 10,
    probes: 2,
    dwellMinutes: 45,
    cooldownMinutes: 0,
    drainQuietMinutes: 2,
    pollSeconds: 5,
    deadlines: { provisioningMinutes: 240, shiftingMinutes: 240, deprovisioningMinutes: 240 },
  },
};

/** A trace with a rise, a crest and a fall. */
export const quickTrace: string = [
  "timestamp_seconds,requests",
  ...[1, 2, 8, 20, 30, 30, 30, 30, 30, 30, 30, 30, 20, 8, 2, 1].map(
    (requests, minute) => `${minute * 60},${requests}`,
  ),
  "",
].join("\n");

/** What every quick rehearsal is called with. */
export const quickArgs: readonly string[] = [
  "rehearse",
  "--config",
  ".",
  "--trace",
  "trace.csv",
  "--peak",
  "60",
  "--speed",
  "360",
];
