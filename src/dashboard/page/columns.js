/** Turns snapshots into columns of numbers for the plots, and into spans for the lane. */

/** Failed requests so far, `null` where nobody counts them. */
export const failedOf = ({ tiers: { lambda, fargate } }) =>
  lambda.failed === null && fargate.failed === null
    ? null
    : (lambda.failed ?? 0) + (fargate.failed ?? 0);

/** What is plotted of one snapshot, by column; times are seconds. */
const fields = {
  time: (s) => s.atMs / 1000,
  lambda: (s) => s.tiers.lambda.requestsPerSecond ?? 0,
  total: (s) => (s.tiers.lambda.requestsPerSecond ?? 0) + (s.tiers.fargate.requestsPerSecond ?? 0),
  weight: (s) => s.route.lambda,
  all: () => 100,
  lambdaP50: (s) => s.tiers.lambda.latencyMsP50,
  lambdaP99: (s) => s.tiers.lambda.latencyMsP99,
  fargateP50: (s) => (s.tiers.fargate.state === "absent" ? null : s.tiers.fargate.latencyMsP50),
  fargateP99: (s) => (s.tiers.fargate.state === "absent" ? null : s.tiers.fargate.latencyMsP99),
  environments: (s) => s.tiers.lambda.running,
  tasks: (s) => (s.tiers.fargate.state === "absent" ? null : s.tiers.fargate.running),
  tasksDesired: (s) => (s.tiers.fargate.state === "absent" ? null : s.tiers.fargate.desired),
  failed: failedOf,
  actual: (s) => s.cost?.actualUsd ?? null,
  alwaysLambda: (s) => s.cost?.alwaysLambdaUsd ?? null,
  alwaysFargate: (s) => s.cost?.alwaysFargateUsd ?? null,
};

/** Columns that follow a history: only what is new is read. */
export const createColumns = (history) => {
  const names = Object.keys(fields);
  const columns = Object.fromEntries(names.map((name) => [name, []]));
  let revision = -1;
  let newest = null;
  const drop = () => {
    for (const name of names) columns[name].pop();
  };
  return {
    columns,
    /** Brings the columns level with the history. */
    update() {
      const { snapshots } = history;
      if (revision !== history.revision) {
        for (const name of names) columns[name].length = 0;
        revision = history.revision;
      }
      // The newest snapshot of before may have given way to a newer one.
      while (columns.time.length > snapshots.length) drop();
      if (columns.time.length > 0 && snapshots[columns.time.length - 1] !== newest) drop();
      for (let at = columns.time.length; at < snapshots.length; at += 1) {
        for (const name of names) columns[name].push(fields[name](snapshots[at]));
      }
      newest = snapshots.at(-1) ?? null;
    },
  };
};

/** What is done says less than why it is done. */
const isReason = ({ type, event }) =>
  type === "event" && (event.type === "decision" || event.type === "failure");

/** The spans of the phases, each with the reason that began it. */
export const phaseSpans = ({ snapshots, events }) => {
  const spans = [];
  for (const { phase, atMs, target } of snapshots) {
    const last = spans.at(-1);
    if (last !== undefined) last.toMs = atMs;
    if (last?.phase !== phase) spans.push({ phase, target, fromMs: atMs, toMs: atMs, reason: "" });
  }
  const told = events.filter(isReason);
  let at = 0;
  for (const one of spans) {
    while (at < told.length && told[at].event.atMs <= one.fromMs + 1) at += 1;
    one.reason = told[at - 1]?.event.message ?? "";
  }
  return spans;
};

/** Index of the last snapshot that is not after `ms`, 0 if all are. */
export const indexAt = (snapshots, ms) => {
  let low = 0;
  let high = snapshots.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (snapshots[middle].atMs <= ms) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
};

/** A power of two, so that the same rows fall together while more are added at the end. */
const stepFor = (rows, buckets) => 2 ** Math.max(0, Math.ceil(Math.log2(rows / buckets)));

/**
 * Rows `from` to `to` of some columns with time first, in about as many buckets as can be told
 * apart: of each bucket the extremes of every column are kept, and whether it has a gap.
 */
export const drawable = (columns, names, from, to, buckets) => {
  const step = stepFor(to - from, buckets);
  const picked = ["time", ...names].map((name) => columns[name] ?? columns.time.map(() => null));
  if (step <= 2) {
    const whole = from === 0 && to === columns.time.length;
    return whole ? picked : picked.map((column) => column.slice(from, to));
  }
  const rows = [];
  for (let start = from - (from % step); start < to; start += step) {
    const first = Math.max(from, start);
    const end = Math.min(to, start + step);
    const kept = new Set([first]);
    for (let at = 1; at < picked.length; at += 1) {
      const column = picked[at];
      let low = -1;
      let high = -1;
      let gap = -1;
      for (let row = first; row < end; row += 1) {
        const value = column[row];
        if (value === null) gap = row;
        else {
          if (low < 0 || value < column[low]) low = row;
          if (high < 0 || value > column[high]) high = row;
        }
      }
      for (const row of [low, high, gap]) if (row >= 0) kept.add(row);
    }
    rows.push(...[...kept].sort((a, b) => a - b));
  }
  if (rows.at(-1) !== to - 1) rows.push(to - 1);
  return picked.map((column) => rows.map((row) => column[row]));
};
