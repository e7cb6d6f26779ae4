/**
 * A bounded memory of a run: every record passes, and what is kept is spread evenly over its time.
 *
 * The server keeps one for readers that come later, the page keeps one for its plots.
 */

/** Whether something changed that thinning must not lose. */
const turns = (before, after) =>
  before === undefined ||
  before.phase !== after.phase ||
  before.target !== after.target ||
  before.route.fargate !== after.route.fargate ||
  before.tiers.fargate.state !== after.tiers.fargate.state;

/** Every second one goes, turns stay; if there are too many turns, they go too. */
const thinned = (snapshots, most) => {
  const kept = [];
  snapshots.forEach((snapshot, at) => {
    const last = at === snapshots.length - 1;
    if (at % 2 === 0 || last || turns(kept.at(-1), snapshot)) kept.push(snapshot);
  });
  if (kept.length <= most) return kept;
  return kept.filter((_, at) => at % 2 === 0 || at === kept.length - 1);
};

/** Keeps at most `snapshotsMax` snapshots and `eventsMax` events and alarms. */
export const createHistory = (snapshotsMax, eventsMax = 2000) => {
  const history = {
    head: null,
    snapshots: [],
    /** Events and alarms in the order of time. */
    events: [],
    end: null,
    /** Grows whenever older snapshots were thinned out. */
    revision: 0,
  };
  let stride = 1;
  /** Snapshots since the last one that was kept for good. */
  let skipped = 0;

  const reset = () => {
    history.snapshots = [];
    history.events = [];
    history.end = null;
    history.revision += 1;
    stride = 1;
    skipped = 0;
  };
  const addSnapshot = (snapshot) => {
    const { snapshots } = history;
    const newest = snapshots.at(-1);
    if (newest !== undefined && snapshot.atMs < newest.atMs) return;
    // The newest one is always there; it gives way if its time has not come to be kept.
    if (skipped > 0 && !turns(snapshots.at(-2), newest)) snapshots.pop();
    skipped = (skipped + 1) % stride;
    snapshots.push(snapshot);
    if (snapshots.length <= snapshotsMax) return;
    history.snapshots = thinned(snapshots, snapshotsMax);
    history.revision += 1;
    stride *= 2;
    skipped = 0;
  };
  history.add = (record) => {
    if (record.type === "run") {
      reset();
      history.head = record;
    } else if (record.type === "snapshot") addSnapshot(record.snapshot);
    else if (record.type === "end") history.end = record;
    else if (record.type === "event" || record.type === "alarm") {
      history.events.push(record);
      if (history.events.length > eventsMax) history.events.shift();
    }
  };
  return history;
};

/** Everything that is kept, as records in the order of time. */
export const recordsOf = ({ head, snapshots, events, end }) => {
  const timed = [
    ...events.map((record) => ({ ...record, atMs: record.atMs ?? record.event.atMs })),
    ...snapshots.map((snapshot) => ({ atMs: snapshot.atMs, type: "snapshot", snapshot })),
  ].sort((a, b) => a.atMs - b.atMs);
  const records = timed.map((record) =>
    record.type === "snapshot"
      ? { type: "snapshot", snapshot: record.snapshot }
      : record.type === "event"
        ? { type: "event", event: record.event }
        : record,
  );
  return [head, ...records, end].filter((record) => record !== null);
};
