/**
 * One line of an access log to the minute in which its request arrived.
 *
 * Consecutive lines share their minute, so the text of the last one is remembered: a date is worked
 * out once a minute and not once a line.
 */

/** The kinds of access log. Apache's and nginx' common and combined formats are one kind. */
export type LogFormat = "clf" | "alb" | "cloudfront";

/** Each kind's name for people. */
export const logFormatNames: Readonly<Record<LogFormat, string>> = {
  clf: "common or combined (nginx, Apache)",
  alb: "Elastic Load Balancing",
  cloudfront: "CloudFront",
};

/** What a line says: minutes since 1970, `"comment"`, or `null` when it is broken. */
export type LineReading = number | "comment" | null;

/** Reads the lines of one format in order. */
export type LineReader = (line: string) => LineReading;

/** Makes a reader. It remembers the latest minute, and CloudFront's list of fields. */
export function lineReader(format: LogFormat): LineReader {
  if (format === "clf") return commonReader();
  return format === "alb" ? balancerReader() : cloudFrontReader();
}

/** The format of a line, `null` if it has none of the known ones. */
export function logFormatOf(line: string): LogFormat | null {
  if (/^#(Version|Fields):/.test(line)) return "cloudfront";
  for (const format of ["clf", "alb", "cloudfront"] as const) {
    if (lineReader(format)(line) !== null) return format;
  }
  return null;
}

const monthNames = "JanFebMarAprMayJunJulAugSepOctNovDec";

/** `host ident user [10/Oct/2000:13:55:36 -0700] "request" status …`, a virtual host before it. */
const commonLine =
  /^\S[^[]*\[(\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d):[0-6]\d ([+-]\d{4})\] ".*?" (?:\d{3}|-)(?: |$)/;

function commonReader(): LineReader {
  const minuteOf = remembered((text) => {
    const [stamp = "", zone = ""] = text.split(" ");
    const [date = "", hour = "", minute = ""] = stamp.split(":");
    const [day = "", name = "", year = ""] = date.split("/");
    const at = monthNames.indexOf(name);
    const month = at % 3 === 0 ? at / 3 + 1 : 0;
    const utc = minuteSinceEpoch([year, month, day, hour, minute].map(Number));
    return utc === null ? null : utc - zoneMinutes(zone);
  });
  return (line) => {
    const found = commonLine.exec(line);
    return found === null ? null : minuteOf(`${found[1]} ${found[2]}`);
  };
}

/** What `+0530` is ahead of UTC, in minutes. */
function zoneMinutes(zone: string): number {
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3, 5));
  return zone.startsWith("-") ? -minutes : minutes;
}

/** `[type] 2018-07-02T22:23:00.186641Z balancer client target three times status …`, in UTC. */
const balancerLine = new RegExp(
  [
    /^(?:(?:https?|h2|grpcs|wss?) )?/,
    /(\d{4}-\d\d-\d\dT\d\d:\d\d):[0-6]\d(?:\.\d+)?Z /,
    /\S+ \S+ \S+ [-\d.]+ [-\d.]+ [-\d.]+ (?:\d{3}|-) /,
  ]
    .map((part) => part.source)
    .join(""),
);

function balancerReader(): LineReader {
  const minuteOf = remembered(minuteOfIso);
  return (line) => {
    const found = balancerLine.exec(line);
    return found === null ? null : minuteOf(found[1] ?? "");
  };
}

const day = /^\d{4}-\d\d-\d\d$/;
const timeOfDay = /^\d\d:\d\d:[0-6]\d$/;

/** Without a list: date, time, edge location, bytes, client, method, host, path, status. */
const fieldsWithoutList = 9;

/** Tab-separated after `#Fields: date time …`, in UTC. */
function cloudFrontReader(): LineReader {
  const minuteOf = remembered(minuteOfIso);
  let columns = fieldsWithoutList;
  let dateAt = 0;
  let timeAt = 1;
  return (line) => {
    if (line.startsWith("#")) {
      const fields = /^#Fields:\s*(.+)$/.exec(line)?.[1]?.trim().split(/\s+/);
      if (fields === undefined) return "comment";
      columns = fields.length;
      dateAt = fields.indexOf("date");
      timeAt = fields.indexOf("time");
      return "comment";
    }
    const values = line.split("\t");
    const date = values[dateAt] ?? "";
    const time = values[timeAt] ?? "";
    if (values.length < columns || !day.test(date) || !timeOfDay.test(time)) return null;
    return minuteOf(`${date}T${time.slice(0, 5)}`);
  };
}

/** `2018-07-02T22:23`. */
function minuteOfIso(text: string): number | null {
  return minuteSinceEpoch(text.split(/[-T:]/).map(Number));
}

function remembered(minuteOf: (text: string) => number | null): (text: string) => number | null {
  let lastText = "";
  let lastMinute: number | null = null;
  return (text) => {
    if (text === lastText) return lastMinute;
    lastText = text;
    lastMinute = minuteOf(text);
    return lastMinute;
  };
}

/** `null` for a date that does not exist, such as the 31st of June. */
function minuteSinceEpoch(parts: readonly number[]): number | null {
  const [year = 0, month = 0, date = 0, hour = 0, minute = 0] = parts;
  const ms = Date.UTC(year, month - 1, date, hour, minute);
  const back = new Date(ms);
  const same = back.getUTCMonth() === month - 1 && back.getUTCDate() === date;
  return same && hour < 24 && minute < 60 && year > 1969 ? ms / 60_000 : null;
}
