/** Moments of a quick rehearsal that starts from nothing, by what it then has just said. */

/** Each phase of the cycle, in order. */
export const moments: Readonly<Record<string, RegExp>> = {
  "steady on Lambda": /alarm throttled: OK$/m,
  provisioning: /\d provisioning$/m,
  "shifting up": /weights Lambda 50 % \/ Fargate 50 % \(was 0 %\)$/m,
  "steady on Fargate": /Fargate 100 %.*\d steady$/ms,
  "shifting down": /\(was 100 %\)$/m,
  draining: /\d draining$/m,
  deprovisioning: /\d deprovisioning$/m,
  "removing the burst tier": /\d remove the burst tier$/m,
};
