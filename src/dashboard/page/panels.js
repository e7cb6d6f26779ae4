/** What is true at one moment: the headline, the figures, the alarms and the journal. */
import { failedOf } from "./columns.js";
import { byId, html, say } from "./dom.js";
import { capital, count, latency, percent, rate, span, tierNames, usd } from "./format.js";
import { newsOf, sentence } from "./lane.js";

const toTier = (snapshot) => tierNames[snapshot.target];

/** The state in a few words. */
export const headline = (snapshot) => {
  const { phase, target, route } = snapshot;
  const tier = toTier(snapshot);
  if (phase === "steady") return `Steady on ${tier}`;
  if (phase === "provisioning") return "Provisioning Fargate";
  if (phase === "shifting") return `Shifting to ${tier}`;
  if (phase === "draining")
    return target === "lambda" ? "Draining Fargate" : `Draining, back to ${tier}`;
  return route.fargate > 0 ? "Leaving Fargate" : "Removing Fargate";
};

const waitWords = ({ wait }, sinceMs) => {
  if (wait === null) return null;
  if (wait.leftMs === null) return { text: `Waits: ${wait.message}`, leftMs: null };
  const leftMs = Math.max(0, wait.leftMs - sinceMs);
  return { text: `${capital(wait.message)}: ${span(leftMs)} left`, leftMs };
};

/** How long the wait of a snapshot was when it began, as far as is known. */
const waitedFor = (snapshots, at) => {
  const { wait, route } = snapshots[at];
  let longestMs = 0;
  for (let back = at; back >= 0; back -= 1) {
    const { wait: before, route: routed } = snapshots[back];
    if (before?.kind !== wait.kind || routed.fargate !== route.fargate) break;
    longestMs = Math.max(longestMs, before.leftMs ?? 0);
  }
  return longestMs;
};

/** Shows the headline with its reason and the wait, `sinceMs` after a snapshot was made. */
export const showState = (snapshots, at, sinceMs) => {
  const snapshot = snapshots[at];
  byId("state").dataset.phase = snapshot.phase;
  say(byId("phase"), headline(snapshot));
  const { override } = snapshot;
  const until = override?.untilMs === null ? ", pinned" : " for now";
  const byHand = override === null ? "" : `By hand: ${tierNames[override.tier]}${until}. `;
  say(byId("reason"), `${byHand}${capital(snapshot.reason)}`);
  const wait = waitWords(snapshot, sinceMs);
  byId("wait").hidden = wait === null;
  if (wait === null) return;
  say(byId("wait-text"), wait.text);
  const bar = byId("wait-bar");
  bar.hidden = wait.leftMs === null;
  if (wait.leftMs === null) return;
  const longestMs = waitedFor(snapshots, at);
  bar.max = Math.max(1, longestMs);
  bar.value = Math.max(0, longestMs - wait.leftMs);
};

/** The tier that answers more. */
const busier = ({ lambda, fargate }) =>
  (fargate.requestsPerSecond ?? 0) > (lambda.requestsPerSecond ?? 0) ? fargate : lambda;

/** The tiles; a tile without a number says nothing. */
const figures = [
  [
    "Requests",
    ({ tiers }) => {
      const of = ({ requestsPerSecond }) => requestsPerSecond ?? 0;
      return [
        `${rate(of(tiers.lambda) + of(tiers.fargate))}/s`,
        `${rate(of(tiers.lambda))} Lambda\n${rate(of(tiers.fargate))} Fargate`,
      ];
    },
  ],
  [
    "DNS weights",
    ({ route }) => [percent(route.lambda), `to Lambda,\n${percent(route.fargate)} to Fargate`],
  ],
  [
    "Environments",
    ({ tiers: { lambda } }) =>
      lambda.running === null ? null : [count(lambda.running), "on Lambda"],
  ],
  [
    "Tasks",
    ({ tiers: { lambda, fargate } }) => {
      if (fargate.running === null && lambda.running === null) return null;
      if (fargate.state === "absent") return ["0", "no balancer,\nno cost"];
      const detail = `healthy of ${count(fargate.desired)}\nFargate ${fargate.state}`;
      return [count(fargate.running), detail];
    },
  ],
  [
    "Latency p50",
    ({ tiers }) => {
      const of = busier(tiers);
      if (tiers.lambda.latencyMsP99 === null && tiers.fargate.latencyMsP99 === null) {
        if (tiers.lambda.running === null) return null;
      }
      return [
        latency(of.latencyMsP50),
        `p99 ${latency(of.latencyMsP99)}\non ${of === tiers.lambda ? "Lambda" : "Fargate"}`,
      ];
    },
  ],
  [
    "Failed",
    (snapshot) => {
      const failed = failedOf(snapshot);
      if (failed === null) return null;
      const { lambda, fargate } = snapshot.tiers;
      return [
        count(failed),
        failed === 0
          ? "requests so far"
          : `${count(lambda.failed)} Lambda\n${count(fargate.failed)} Fargate`,
        failed > 0,
      ];
    },
  ],
  [
    "Cost so far",
    ({ cost }) => {
      if (cost === null) return null;
      const { actualUsd, alwaysLambdaUsd, alwaysFargateUsd } = cost;
      const others = `vs Lambda ${usd(alwaysLambdaUsd)}\nvs Fargate ${usd(alwaysFargateUsd)}`;
      return [usd(actualUsd), others];
    },
  ],
];

/** Shows the figures of a snapshot. */
export const createFigures = () => {
  const tiles = figures.map(([name, read]) => {
    const value = html("b");
    const detail = html("small");
    const tile = html(
      "div",
      { class: "tile" },
      html("dt", {}, name),
      html("dd", {}, value, detail),
    );
    return { tile, value, detail, read };
  });
  byId("figures").replaceChildren(...tiles.map(({ tile }) => tile));
  return (snapshot) => {
    for (const { tile, value, detail, read } of tiles) {
      const told = read(snapshot);
      tile.hidden = told === null;
      if (told === null) continue;
      const [number, words, bad] = told;
      say(value, number);
      say(detail, words);
      tile.classList.toggle("bad", bad === true);
    }
  };
};

/** What an alarm says, and below it what it compares. */
const alarmRows = ({
  name,
  state,
  sentence: why,
  threshold,
  value,
  breachesWhen,
  breaching,
  periodsToAlarm,
  periods,
}) => {
  const shown = state === "INSUFFICIENT_DATA" ? "no data" : state;
  const limit = `${breachesWhen === "below" ? "<" : "≥"} ${count(threshold)}`;
  const now = value === null ? "no data" : count(value);
  const rule = `${now}; rings ${limit} in ${periodsToAlarm} of ${periods} min, now ${breaching}`;
  return [
    html(
      "tr",
      { "data-alarm": state, title: why },
      html("th", { scope: "row" }, name),
      html("td", { class: "alarm" }, shown),
    ),
    html("tr", { class: "rule", title: why }, html("td", { colspan: 2 }, rule)),
  ];
};

/** Shows the alarms of a snapshot. */
export const createAlarms = () => {
  let drawn = "";
  return ({ alarms }) => {
    const signature = JSON.stringify(alarms);
    byId("alarms").hidden = alarms.length === 0;
    if (signature === drawn) return;
    drawn = signature;
    byId("alarm-rows").replaceChildren(...alarms.flatMap(alarmRows));
  };
};

/** Rows of the journal that are shown at once. */
const rowsMax = 200;

/** The events, newest first. */
export const createJournal = (words) => {
  let drawn = "";
  return ({ events, revision }) => {
    const last = events.at(-1);
    const signature = `${revision} ${events.length} ${last?.atMs ?? last?.event.atMs}`;
    if (signature === drawn) return;
    drawn = signature;
    const news = newsOf(events);
    const rows = news.slice(-rowsMax).reverse();
    byId("journal-rows").replaceChildren(
      ...rows.map((record) => {
        const kind = record.type === "alarm" ? "alarm" : record.event.type;
        return html(
          "tr",
          { "data-kind": kind },
          html("td", { class: "when" }, words().text(record.atMs ?? record.event.atMs)),
          html("td", { class: "kind" }, html("i", { class: `dot ${kind}` }), kind),
          html("td", {}, sentence(record)),
        );
      }),
    );
    const more = news.length > rows.length ? `, the newest ${rows.length}` : "";
    say(
      byId("journal-count"),
      news.length === 0 ? "nothing so far" : `${news.length} in all${more}`,
    );
  };
};

/** The columns of the table that stands in for the plots. */
const tableColumns = [
  ["phase", (s) => s.phase],
  ["Lambda /s", (s) => rate(s.tiers.lambda.requestsPerSecond)],
  ["Fargate /s", (s) => rate(s.tiers.fargate.requestsPerSecond)],
  ["weights", (s) => `${s.route.lambda} : ${s.route.fargate}`],
  ["environments", (s) => count(s.tiers.lambda.running)],
  ["tasks", (s) => count(s.tiers.fargate.running)],
  ["p99 Lambda", (s) => latency(s.tiers.lambda.latencyMsP99)],
  ["p99 Fargate", (s) => latency(s.tiers.fargate.latencyMsP99)],
  ["failed", (s) => count(failedOf(s))],
  ["cost", (s) => (s.cost === null ? "–" : usd(s.cost.actualUsd))],
];

/** The plots as a table, made when it is opened: at most sixty moments, evenly spread. */
export const fillTable = (snapshots, words) => {
  const step = Math.max(1, Math.ceil(snapshots.length / 60));
  const shown = snapshots.filter((_, at) => at % step === 0 || at === snapshots.length - 1);
  const heads = ["time", ...tableColumns.map(([name]) => name)];
  byId("table").replaceChildren(
    html("thead", {}, html("tr", {}, ...heads.map((name) => html("th", { scope: "col" }, name)))),
    html(
      "tbody",
      {},
      ...shown.map((snapshot) =>
        html(
          "tr",
          {},
          html("th", { scope: "row" }, words.text(snapshot.atMs)),
          ...tableColumns.map(([, read]) => html("td", {}, read(snapshot))),
        ),
      ),
    ),
  );
};
