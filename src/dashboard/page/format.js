/** Numbers and times as people read them. */

const grouped = (digits) => {
  const format = new Intl.NumberFormat("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return (value) => format.format(value);
};
const byDigits = [0, 1, 2, 3, 4, 5, 6].map(grouped);
const fixed = (value, digits) => byDigits[digits](value);

/** A whole number with groups: 12,345. */
export const count = (value) => (value === null ? "–" : fixed(value, 0));

/** Requests per second, without its unit. */
export const rate = (value) =>
  value === null ? "–" : fixed(value, value === 0 || value >= 10 ? 0 : 1);

/** Milliseconds of a latency, with a unit. */
export const latency = (ms) => {
  if (ms === null || ms === undefined) return "–";
  if (ms >= 1000) return `${fixed(ms / 1000, 1)} s`;
  return `${fixed(ms, ms < 10 ? 1 : 0)} ms`;
};

/** Dollars: as many digits as say something. */
export const usd = (value) => {
  const size = Math.abs(value);
  const digits = size === 0 || (size >= 1 && size < 1000) ? 2 : size >= 1000 ? 0 : 4;
  return `$${fixed(value, digits)}`;
};

/** Digits after the point that tell values apart which are `step` from each other. */
const digitsOf = (step) => {
  const enough = (digits) => Math.abs(step * 10 ** digits - Math.round(step * 10 ** digits)) < 1e-6;
  return [0, 1, 2, 3, 4, 5].find(enough) ?? 6;
};

/** A power of ten of milliseconds on an axis. */
export const latencyTick = (ms) =>
  ms >= 1000 ? `${fixed(ms / 1000, 0)} s` : `${fixed(ms, digitsOf(ms))} ms`;

/** A rate or a count on an axis whose lines are `step` apart. */
export const numberTick = (value, step) => fixed(value, value === 0 ? 0 : digitsOf(step));

/** Dollars on an axis whose lines are `step` apart. */
export const usdTick = (value, step) => {
  const digits = digitsOf(step);
  return `$${fixed(value, value === 0 ? 0 : digits === 1 ? 2 : digits)}`;
};

/** A share of 0 to 100 in per cent. */
export const percent = (value) => `${fixed(value, 0)} %`;

/** A span: "850 ms", "74 s", "12 min 30 s", "3 h 05 min", "2 d 4 h". */
export const span = (ms) => {
  if (ms < 1000) return `${fixed(Math.max(0, ms), 0)} ms`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  const two = (value) => String(value).padStart(2, "0");
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
};

const dayMs = 86_400_000;
const two = (value) => String(value).padStart(2, "0");

/**
 * How times of a run are written: a rehearsal counts from its start, a trace without a date counts
 * days, everything else has a date. `text` is for sentences, `tick` for an axis that spans `ms`.
 */
export const timeWords = ({ command, atMs }) => {
  // What happens now is told by the reader's clock, what was simulated by nobody's.
  const local = command !== "simulate";
  const read = (ms) => {
    const at = new Date(ms);
    return local
      ? [
          at.getFullYear(),
          at.getMonth(),
          at.getDate(),
          at.getHours(),
          at.getMinutes(),
          at.getSeconds(),
        ]
      : [
          at.getUTCFullYear(),
          at.getUTCMonth(),
          at.getUTCDate(),
          at.getUTCHours(),
          at.getUTCMinutes(),
          at.getUTCSeconds(),
        ];
  };
  if (command === "rehearse") {
    const elapsed = (ms) => {
      const seconds = Math.max(0, Math.round((ms - atMs) / 1000));
      const clock = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
      return seconds >= 3600 ? `${Math.floor(seconds / 3600)}:${clock}` : clock;
    };
    return { zone: "since the start", text: elapsed, tick: elapsed, offsetMs: atMs };
  }
  const dated = atMs > 365 * dayMs;
  const clock = (ms, seconds) => {
    const [, , , hour, minute, second] = read(ms);
    return `${two(hour)}:${two(minute)}${seconds ? `:${two(second)}` : ""}`;
  };
  const day = (ms) => {
    if (!dated) return `day ${Math.floor(ms / dayMs) + 1}`;
    const [year, month, date] = read(ms);
    return `${year}-${two(month + 1)}-${two(date)}`;
  };
  return {
    zone: dated ? (local ? "local time" : "UTC") : "",
    text: (ms) => (local ? clock(ms, true) : `${day(ms)} ${clock(ms, false)}`),
    tick: (ms, spanMs) => {
      if (spanMs > 3 * dayMs) return day(ms);
      if (spanMs > dayMs / 2 && clock(ms, false) === "00:00") return day(ms);
      return clock(ms, spanMs < 600_000);
    },
    offsetMs: local ? new Date(atMs).getTimezoneOffset() * 60_000 : 0,
  };
};

/** A number of things: "1 task", "2 tasks". */
export const things = (value, one) => `${count(value)} ${one}${value === 1 ? "" : "s"}`;

/** The first letter in upper case. */
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** The tiers as people call them. */
export const tierNames = { lambda: "Lambda", fargate: "Fargate" };

const steps = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
  172_800, 604_800, 1_209_600, 2_592_000, 7_776_000, 31_536_000,
];

/** Round times between two seconds, as many as fit into `px`; they count from `offset`. */
export const timeSplits = (min, max, px, offset) => {
  const most = Math.max(2, px / 76);
  const step = steps.find((one) => (max - min) / one <= most) ?? steps.at(-1);
  const splits = [];
  // Labels at the very edges would be cut off, or lie on those of the other axis.
  const edge = ((max - min) * 20) / px;
  const last = max - edge;
  const first = Math.ceil((min + edge / 2 - offset) / step) * step + offset;
  for (let at = first; at <= last; at += step) splits.push(at);
  return splits;
};
