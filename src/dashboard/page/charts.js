/** The plots over time: they share their span, their pointer and the place of their axes. */
import { drawable } from "./columns.js";
import { byId, html, say, theme } from "./dom.js";
import {
  count,
  latency,
  latencyTick,
  numberTick,
  percent,
  rate,
  timeSplits,
  usd,
  usdTick,
} from "./format.js";
import { failures, overlay } from "./marks.js";

/* global uPlot */

/** Pixels left and right of every plot, so that the lane can stand below them. */
export const axisPx = 56;
export const edgePx = 14;

const alarmLine = (snapshot, name) => snapshot?.alarms.find((alarm) => alarm.name === name);

/** Lines at which something would happen, with what they mean. */
const thresholds = {
  traffic: (snapshot, lines) => {
    const busy = alarmLine(snapshot, "busy-requests");
    const quiet = alarmLine(snapshot, "quiet");
    return [
      busy && { at: busy.threshold / 60, text: "busy: Lambda at or above", colour: "lambda" },
      ...lines.map((one) => ({ ...one, colour: "faint" })),
      quiet && { at: quiet.threshold / 60, text: "quiet: both below", colour: "fargate" },
    ].filter(Boolean);
  },
  instances: (snapshot) => {
    const busy = alarmLine(snapshot, "busy-concurrency");
    return busy === undefined
      ? []
      : [{ at: busy.threshold, text: "busy: requests in flight", colour: "lambda" }];
  },
};

const fromZero = (lines) => (plot, _min, max) => {
  const data = max ?? 0;
  // A threshold that is far away would press everything else to the ground.
  const near = lines(plot).filter(({ at }) => data === 0 || at <= 4 * data);
  return [0, Math.max(data, ...near.map(({ at }) => at), 1e-9) * 1.12];
};

const line = (column, label, colour, more = {}) => ({ column, label, colour, ...more });

/** What is drawn: one entry per plot, its series bottom up. */
const kinds = [
  {
    id: "traffic",
    title: "Requests per second",
    height: 230,
    unit: rate,
    tick: numberTick,
    lines: thresholds.traffic,
    series: [
      line("total", "Fargate", "fargate", { shown: (c, at) => c.total[at] - c.lambda[at] }),
      line("lambda", "Lambda", "lambda", { fill: true }),
    ],
    bands: [{ series: [1, 2], colour: "fargate" }],
    extra: (c, at) => [
      ["in all", rate(c.total[at]), "ink"],
      ["failed so far", count(c.failed[at]), "bad"],
    ],
  },
  {
    id: "weights",
    title: "DNS weights",
    height: 96,
    unit: percent,
    range: () => [0, 100],
    splits: [0, 50, 100],
    stepped: true,
    series: [
      line("all", "Fargate", "fargate", { shown: (c, at) => 100 - c.weight[at] }),
      line("weight", "Lambda", "lambda", { fill: true }),
    ],
    bands: [{ series: [1, 2], colour: "fargate" }],
  },
  {
    id: "latency",
    title: "Latency",
    height: 160,
    unit: latency,
    tick: latencyTick,
    logarithmic: true,
    series: [
      line("lambdaP50", "Lambda p50", "lambda"),
      line("lambdaP99", "p99", "lambda", { dash: true }),
      line("fargateP50", "Fargate p50", "fargate"),
      line("fargateP99", "p99", "fargate", { dash: true }),
    ],
  },
  {
    id: "instances",
    title: "Environments and tasks",
    height: 130,
    unit: count,
    // There is no half of a task.
    steps: [1, 10, 100, 1000, 10_000].flatMap((ten) => [ten, 2 * ten, 5 * ten]),
    lines: thresholds.instances,
    stepped: true,
    series: [
      line("environments", "Lambda environments", "lambda"),
      line("tasks", "healthy tasks", "fargate"),
      line("tasksDesired", "wanted", "fargate", { dash: true }),
    ],
  },
  {
    id: "cost",
    title: "Cost so far",
    note: "list prices, each begun hour of a balancer whole",
    height: 170,
    unit: usd,
    tick: usdTick,
    series: [
      line("alwaysLambda", "always Lambda", "lambda", { dash: true }),
      line("alwaysFargate", "always Fargate", "fargate", { dash: true }),
      line("actual", "LambdaFlex", "ink", { width: 2.5 }),
    ],
  },
];

const key = (colour, label, dash) => {
  const value = html("b");
  const swatch = html("i", { class: dash ? "swatch dashed" : "swatch", "data-colour": colour });
  return { element: html("span", { class: "key" }, swatch, `${label} `, value), value };
};

/** A quarter of a colour of the style sheet, all of which are written #rrggbb. */
const faded = (colour) => `${colour}42`;

/** The options of one plot; `state` tells what is drawn, and over which span. */
const optionsOf = (kind, state, on) => {
  const grid = { stroke: theme("line"), width: 1 };
  const axis = {
    stroke: theme("faint"),
    grid,
    ticks: { show: false },
    font: `11px ${theme("font")}`,
  };
  const paths = kind.stepped ? uPlot.paths.stepped({ align: 1 }) : uPlot.paths.linear();
  const words = state.words();
  const ticks = (plot, splits) => {
    const spanMs = (plot.scales.x.max - plot.scales.x.min) * 1000;
    return splits.map((at) => words.tick(at * 1000, spanMs));
  };
  const y = kind.logarithmic
    ? {
        distr: 3,
        log: 10,
        range: (_, min, max) => (min === null ? [1, 1000] : uPlot.rangeLog(min, max, 10, true)),
      }
    : { range: kind.range ?? fromZero(() => kind.lines?.(state.snapshot(), state.lines()) ?? []) };
  return {
    width: state.width(),
    height: kind.height,
    padding: [8, edgePx, 0, 0],
    legend: { show: false },
    scales: { x: { time: false, range: () => state.span() }, y },
    axes: [
      {
        ...axis,
        size: 26,
        gap: 4,
        space: 84,
        values: ticks,
        splits: (plot, _axis, min, max) =>
          timeSplits(min, max, plot.bbox.width / devicePixelRatio, words.offsetMs / 1000),
      },
      {
        ...axis,
        size: axisPx,
        gap: 8,
        space: kind.logarithmic ? 26 : 30,
        ...(kind.splits && { splits: kind.splits }),
        ...(kind.logarithmic && { splits: decades }),
        ...(kind.steps && { incrs: kind.steps }),
        values: (_plot, splits, _axis, _space, step) =>
          splits.map((at) => (at === null ? "" : (kind.tick ?? kind.unit)(at, step))),
      },
    ],
    series: [
      {},
      ...kind.series.map(({ colour, fill, dash, width }) => {
        const stroke = colour.startsWith("#") ? colour : theme(colour);
        return {
          stroke,
          width: width ?? 1.5,
          paths,
          points: { show: false },
          ...(dash && { dash: [4, 4] }),
          ...(fill && { fill: faded(stroke) }),
        };
      }),
    ],
    bands: (kind.bands ?? []).map(({ series, colour }) => ({
      series,
      fill: faded(theme(colour)),
    })),
    cursor: {
      sync: { key: "time" },
      points: { size: 7 },
      drag: { x: true, y: false, setScale: false },
      y: false,
    },
    hooks: {
      draw: [overlay(kind, state), ...(kind.id === "traffic" ? [failures(state)] : [])],
      setCursor: [({ cursor, data }) => on.cursor(cursor.left < 0 ? null : data[0][cursor.idx])],
      setSelect: [(plot) => on.select(plot)],
    },
  };
};

/** A logarithmic axis has a line at each power of ten and no other. */
const decades = (_plot, _axis, min, max) => {
  const first = Math.ceil(Math.log10(min) - 1e-9);
  const last = Math.floor(Math.log10(max) + 1e-9);
  return Array.from({ length: Math.max(1, last - first + 1) }, (_, at) => 10 ** (first + at));
};

/** The colours of choices, for runs that are compared. */
const palette = ["#7c5cd6", "#d6336c", "#0d8f7f", "#9a7b00", "#a8509f", "#5b6cd6", "#7a6a58"];

const choiceColour = (name, at) => {
  if (/^always/.test(name)) return /fargate/i.test(name) ? "fargate" : "lambda";
  return name === "optimum" ? "good" : palette[at % palette.length];
};

/** With several choices, the cost plot compares them all. */
const comparing = (choices) => ({
  ...kinds.at(-1),
  height: 260,
  title: "Cost so far, of each choice",
  note: "",
  series: choices.map(({ name, chosen }, at) =>
    line(at, name, choiceColour(name, at), {
      dash: name.startsWith("always"),
      width: chosen ? 3 : 1.5,
    }),
  ),
});

/**
 * Builds the plots into the page. `state` gives columns, the snapshot looked at, the span of time
 * and how times are written; `on` hears of the pointer and of a selected span.
 */
export const createCharts = (state, on) => {
  const root = byId("plots");
  let charts = [];

  let pointed = null;
  /** The values at the pointer, or at the moment that is looked at. */
  const readout = (at = pointed) => {
    pointed = at;
    const c = state.columns();
    const index = at ?? state.index();
    for (const { kind, values, extras } of charts) {
      kind.series.forEach(({ column, shown }, number) => {
        const value = shown ? shown(c, index) : (c[column] ?? [])[index];
        say(values[number].value, value === undefined || value === null ? "–" : kind.unit(value));
      });
      for (const [number, [, text]] of (kind.extra?.(c, index) ?? []).entries()) {
        say(extras[number].value, text);
      }
    }
  };
  const section = (kind) => {
    const values = kind.series.map(({ label, colour, dash }) => key(colour, label, dash));
    for (const [at, { colour }] of kind.series.entries()) {
      if (colour.startsWith("#")) values[at].element.firstChild.style.background = colour;
    }
    // What is drawn below is named first.
    const order = kind.bands ? [...values].reverse() : values;
    const extras = (kind.extra?.(state.columns(), 0) ?? []).map(([label, , colour]) =>
      key(colour, label),
    );
    const keys = html("p", { class: "keys" }, ...[...order, ...extras].map((one) => one.element));
    const place = html("div", {
      class: "plot",
      tabindex: "0",
      role: "group",
      "aria-label": `${kind.title}: arrow keys move through time`,
    });
    const made = html(
      "section",
      { class: "chart", id: `chart-${kind.id}` },
      html("header", {}, html("h2", {}, kind.title, html("small", {}, kind.note ?? "")), keys),
      place,
    );
    return { kind, values, extras, place, made, plot: null, seen: true, stale: false };
  };
  /** What is in sight of the time that is shown, one row beyond on either side. */
  const dataOf = ({ kind }) => {
    const { from, to } = state.rows();
    const names = kind.series.map(({ column }) => column);
    return drawable(state.columns(), names, from, to, Math.ceil(state.width() / 2));
  };
  /** Plots out of sight are drawn when they come into it. */
  const sight = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const chart = charts.find(({ made }) => made === target);
      if (chart === undefined) continue;
      chart.seen = isIntersecting;
      if (isIntersecting && chart.stale) draw(chart);
    }
  });
  const draw = (chart) => {
    chart.stale = !chart.seen;
    if (chart.seen) chart.plot.setData(dataOf(chart), true);
  };
  const build = () => {
    for (const { plot } of charts) plot?.destroy();
    sight.disconnect();
    const choices = state.choices();
    const used = choices === null ? kinds : [...kinds.slice(0, -1), comparing(choices)];
    charts = used.filter(({ id }) => state.has(id)).map(section);
    const lane = byId("lane");
    root.replaceChildren(...charts.map(({ made }) => made));
    charts[0]?.made.append(lane);
    for (const chart of charts) {
      chart.plot = new uPlot(optionsOf(chart.kind, state, on), dataOf(chart), chart.place);
      sight.observe(chart.made);
      chart.place.addEventListener("keydown", (event) => on.key(event));
    }
    readout(null);
  };
  return {
    build,
    readout,
    /** New data, or another span: everything is drawn again. */
    draw() {
      for (const chart of charts) draw(chart);
    },
    /** The moment that is looked at has moved: the curves stay as they are. */
    redraw() {
      for (const { plot } of charts) plot.redraw(false);
    },
    resize() {
      for (const { plot, kind } of charts)
        plot.setSize({ width: state.width(), height: kind.height });
    },
    /** Puts the pointer of all plots on one index. */
    point(index) {
      const { plot } = charts[0] ?? {};
      if (!plot) return;
      const left = plot.valToPos(state.columns().time[index], "x");
      plot.setCursor({ left, top: 1 });
    },
    get summary() {
      return charts[0]?.made.querySelector(".keys").textContent ?? "";
    },
  };
};
