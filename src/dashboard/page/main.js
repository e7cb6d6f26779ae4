/** Puts the page together: records come in, and everything that is shown follows from them. */
import { createCharts } from "./charts.js";
import { createChoices } from "./choices.js";
import { createColumns, indexAt } from "./columns.js";
import { createControls } from "./controls.js";
import { announce, byId, forgetTheme, html, say } from "./dom.js";
import { follow, unpack } from "./feed.js";
import { capital, timeWords } from "./format.js";
import { createHistory } from "./history.js";
import { createHouse } from "./house.js";
import { createLane } from "./lane.js";
import {
  createAlarms,
  createFigures,
  createJournal,
  fillTable,
  headline,
  showState,
} from "./panels.js";
import { createReplay } from "./replay.js";

/** Points that are kept: more than any screen has pixels. */
const pointsMax = 20_000;
/** Real time between two drawings of what is slower to draw than to read. */
const slowMs = 200;

const setup = JSON.parse(byId("setup").textContent);
let history = createHistory(pointsMax);
let columns = createColumns(history);
let choices = null;
/** Lines across the traffic that a report brings along. */
let lines = [];
let chosen = 0;
/** The span that was selected, in seconds; `null` follows the run. */
let selected = null;
/** Length of the newest part that is shown, `null` for everything. */
let windowMs = null;
let words = timeWords({ command: "rehearse", atMs: 0 });
let receivedMs = performance.now();
let announced = "";
let shownParts = "";

const latest = () => history.snapshots.at(-1);
const span = () => {
  if (selected !== null) return selected;
  const first = (history.snapshots[0]?.atMs ?? 0) / 1000;
  const last = (latest()?.atMs ?? 0) / 1000;
  const from = windowMs === null ? first : Math.max(first, last - windowMs / 1000);
  return [from, Math.max(last, from + 1)];
};
const replay = createReplay(
  () => words,
  () => draw(false),
);
const index = () =>
  replay.ms === null ? history.snapshots.length - 1 : indexAt(history.snapshots, replay.ms);

const simulated = () => choices !== null || history.head?.command === "simulate";
const parts = {
  traffic: () => true,
  weights: () => true,
  // A simulation knows no latency, and counts no environments.
  latency: () => !simulated(),
  instances: () => !simulated() || history.snapshots.some(({ tiers }) => tiers.fargate.running),
  cost: () => latest()?.cost != null,
};
const state = {
  columns: () => columns.columns,
  snapshot: () => history.snapshots[index()],
  history: () => history,
  rows: () => {
    const [from, to] = span();
    const { snapshots } = history;
    const end = indexAt(snapshots, to * 1000) + 2;
    return { from: indexAt(snapshots, from * 1000), to: Math.min(snapshots.length, end) };
  },
  index,
  span,
  words: () => words,
  width: () => Math.max(280, byId("plots").clientWidth),
  replayMs: () => (replay.ms === null || replay.ms >= latest()?.atMs ? null : replay.ms),
  lines: () => lines,
  choices: () => choices?.map(({ name }, at) => ({ name, chosen: at === chosen })) ?? null,
  has: (id) => parts[id](),
};

const charts = createCharts(state, {
  cursor: (seconds) => {
    charts.readout(seconds == null ? null : indexAt(history.snapshots, seconds * 1000));
  },
  select(plot) {
    const { left, width } = plot.select;
    if (width > 4) choose([plot.posToVal(left, "x"), plot.posToVal(left + width, "x")]);
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  },
  reset: () => choose(null),
  key: (event) => move(event),
});
const lane = createLane(state);
const house = createHouse();
const showFigures = createFigures();
const showAlarms = createAlarms();
const showJournal = createJournal(() => words);
const showControls = createControls(setup);

const choose = (seconds) => {
  selected = seconds;
  byId("everything").hidden = seconds === null;
  draw(true);
};
byId("everything").addEventListener("click", () => choose(null));
byId("window").addEventListener("change", ({ target }) => {
  windowMs = target.value === "" ? null : Number(target.value) * 60_000;
  choose(null);
});

/** The pointer of the plots by keyboard. */
let pointed = null;
const move = (event) => {
  const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20 };
  const step = steps[event.key];
  if (step === undefined) return;
  event.preventDefault();
  const last = history.snapshots.length - 1;
  const wide = Math.max(1, Math.round(last / 200));
  pointed = Math.min(last, Math.max(0, (pointed ?? last) + step * wide));
  charts.point(pointed);
  announce(`${words.text(history.snapshots[pointed].atMs)}: ${charts.summary}`);
};

/** What belongs to one moment. */
const drawMoment = () => {
  const snapshot = state.snapshot();
  if (snapshot === undefined) return;
  const { ms } = replay;
  const agedMs = Math.min(10_000, performance.now() - receivedMs) * (history.head?.speed ?? 1);
  const sinceMs = ms === null ? (linked === "live" ? agedMs : 0) : ms - snapshot.atMs;
  showState(history.snapshots, index(), sinceMs);
  say(byId("clock"), words.text(ms ?? snapshot.atMs));
};

let slowDueMs = 0;
let slowTimer = null;
/** The rest, drawn a few times a second at most. */
const drawSlowly = () => {
  slowTimer = null;
  slowDueMs = performance.now() + slowMs;
  const snapshot = state.snapshot();
  if (snapshot === undefined) return;
  drawMoment();
  charts.readout();
  showFigures(snapshot);
  showAlarms(snapshot);
  showControls(snapshot);
  house(snapshot);
  lane.draw();
  showJournal(history);
  byId("plots").dataset.points = String(history.snapshots.length);
  byId("plots").dataset.untilMs = String(latest().atMs);
  const told = `${headline(snapshot)}. ${capital(snapshot.reason)}`;
  const key = `${snapshot.phase} ${snapshot.target}`;
  if (announced !== key && replay.ms === null) announce(told);
  announced = key;
};

const draw = (curves) => {
  if (history.snapshots.length === 0) return;
  const signature = Object.keys(parts).filter(state.has).join(" ");
  if (shownParts !== signature) {
    shownParts = signature;
    document.body.classList.remove("empty");
    charts.build();
  } else if (curves) charts.draw();
  else charts.redraw();
  if (replay.ms !== null) drawMoment();
  if (slowTimer === null)
    slowTimer = setTimeout(drawSlowly, Math.max(0, slowDueMs - performance.now()));
};

let due = false;
const drawSoon = () => {
  if (due) return;
  due = true;
  requestAnimationFrame(() => {
    due = false;
    columns.update();
    draw(true);
  });
};

const showHead = ({ service, command, speed }) => {
  say(byId("service"), service);
  document.title = `${service} · lambdaflex ${command}`;
  const fast = speed === 1 ? "" : `, ${speed} × as fast`;
  const kinds = {
    dev: "on this machine",
    rehearse: "rehearsal",
    aws: "on AWS",
    simulate: "simulation",
  };
  say(byId("origin"), `${kinds[command] ?? command}${fast}`);
};
const showEnd = ({ ok, message }) => {
  const root = byId("end");
  root.hidden = false;
  root.dataset.ok = ok ? "yes" : "no";
  say(root, message);
};

const take = (records) => {
  for (const record of records) {
    history.add(record);
    if (record.type === "run") {
      words = timeWords(record);
      shownParts = "";
      showHead(record);
      say(byId("zone"), words.zone);
    }
    if (record.type === "end") showEnd(record);
  }
  receivedMs = performance.now();
  drawSoon();
};

let linked = "";
const showLink = (link) => {
  linked = link;
  const told = {
    live: "live",
    lost: "connection lost",
    refused: "refused: load the page again",
    ended: "ended",
    replay: "recorded",
  };
  say(byId("link"), told[link]);
  byId("link").dataset.link = link;
  if (link === "lost") announce("The connection is lost; the page tries again.");
};

const open = (records) => {
  history = createHistory(pointsMax);
  columns = createColumns(history);
  for (const record of records) history.add(record);
  columns.update();
  words = timeWords(history.head);
  showHead(history.head);
  say(byId("zone"), words.zone);
  if (history.end !== null) showEnd(history.end);
};

/** Shows one of several runs of the same load. */
const openChoice = (at, marked) => {
  chosen = at;
  open(choices[at].records);
  for (const [number, { records }] of choices.entries()) {
    const snapshots = records.filter(({ type }) => type === "snapshot");
    columns.columns[number] = snapshots.map(({ snapshot }) => snapshot.cost?.actualUsd ?? null);
  }
  shownParts = "";
  marked(at);
  replay.open(history.snapshots[0].atMs, latest().atMs);
};

const openReport = async () => {
  showLink("replay");
  const report = await unpack(byId("data").textContent);
  for (const sentence of report.assumptions ?? []) byId("assumed").append(html("li", {}, sentence));
  byId("assumptions").hidden = (report.assumptions ?? []).length === 0;
  lines = report.lines ?? [];
  if (report.choices) {
    ({ choices } = report);
    const marked = createChoices(choices, (at) => openChoice(at, marked));
    const first = choices.findIndex(({ name }) => !/^(always|optimum)/.test(name));
    openChoice(Math.max(0, first), marked);
    return;
  }
  open(report.records);
  if (history.snapshots.length > 0) replay.open(history.snapshots[0].atMs, latest().atMs);
};

byId("as-table").addEventListener("toggle", ({ target }) => {
  if (target.open) fillTable(history.snapshots, words);
});
addEventListener("resize", () => {
  if (history.snapshots.length > 0) charts.resize();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  forgetTheme();
  shownParts = "";
  draw(true);
});
/** Who has a cookie already needs no token in the address, where others might read it. */
const dropToken = () => {
  if (location.hash.startsWith("#token=")) window.history.replaceState(null, "", location.pathname);
};
dropToken();
addEventListener("hashchange", dropToken);
if (setup.mode === "live") {
  follow(take, showLink);
  setInterval(drawMoment, 250);
} else openReport();
