/** Progress on standard error: a live picture on a terminal, plain lines everywhere else. */
import { stripVTControlCharacters, styleText } from "node:util";

/** Where progress goes. Results go to standard output, never through here. */
export interface Screen {
  /** A line that stays. */
  say(line: string): void;
  /** The picture below the lines; drawn over the last one on a terminal. */
  picture(lines: readonly string[]): void;
  /** One line in place of a picture where there is no terminal, now and then. */
  plain(line: string): void;
  /** Removes the picture. */
  close(): void;
}

/** How often a plain line appears where no picture can be drawn, in real milliseconds. */
const plainEveryMs = 5_000;

/** Opens the screen on `stream`; `nowMs` is real time. */
export function openScreen(stream: NodeJS.WriteStream, nowMs: () => number): Screen {
  const live = stream.isTTY === true && process.env.TERM !== "dumb" && !process.env.CI;
  let drawn = 0;
  let lastPlainMs = Number.NEGATIVE_INFINITY;
  const erase = (): string => (drawn > 0 ? `\x1b[${drawn}A\x1b[0J` : "");
  // Some terminals say 0 for what they do not know.
  const columns = (): number => Math.max(20, stream.columns || 80);
  return {
    say(line) {
      stream.write(`${live ? erase() : ""}${line}\n`);
      drawn = 0;
    },
    picture(lines) {
      if (!live) return;
      const rows = Math.max(4, (stream.rows || 24) - 2);
      const shown = lines.flatMap((line) => folded(line, columns())).slice(0, rows);
      stream.write(`${erase()}${shown.join("\n")}\n`);
      drawn = shown.length;
    },
    plain(line) {
      if (live || nowMs() - lastPlainMs < plainEveryMs) return;
      lastPlainMs = nowMs();
      stream.write(`${line}\n`);
    },
    close() {
      if (live) stream.write(erase());
      drawn = 0;
    },
  };
}

/** Below what a row of a picture begins with. */
const foldIndent = 14;

/** Folds a line at its blanks to a width; colours pass on, and what has no blank is cut. */
function folded(line: string, columns: number): readonly string[] {
  const widthOf = (text: string): number => stripVTControlCharacters(text).length;
  if (widthOf(line) <= columns) return [line];
  const indent = Math.min(foldIndent, columns - 8);
  const lines: string[] = [];
  let current = "";
  let width = 0;
  for (const word of line.split(/(?<= )/)) {
    if (width + widthOf(word.trimEnd()) > columns && width > indent) {
      lines.push(current);
      current = " ".repeat(indent);
      width = indent;
    }
    const left = columns - width;
    current += widthOf(word.trimEnd()) <= left ? word : cut(word, left - 1);
    width += widthOf(word);
  }
  return [...lines, current];
}

/** Cuts to a width; colours are given up where a word is too long for them to fit. */
function cut(word: string, columns: number): string {
  return `${stripVTControlCharacters(word).slice(0, columns)}…`;
}

type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan" | "blue";

/** Colours a text, or leaves it as it is. */
export type Paint = (style: Style | readonly Style[], text: string) => string;

/** Colours for a stream; none when it is no terminal, or with NO_COLOR. */
export function painter(stream: NodeJS.WriteStream): Paint {
  return (style, text) => styleText([style].flat() as Style[], text, { stream });
}

/** Colours text for standard error. */
export const paint: Paint = painter(process.stderr);

/** A bar of `width` cells of which `share` (0 to 1) is filled. */
export function bar(share: number, width: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * width);
  return "█".repeat(filled) + "░".repeat(width - filled);
}

/** A line of block characters for the newest `width` values; `most` fills a cell. */
export function sparkline(values: readonly number[], width: number, most?: number): string {
  const shown = values.slice(-width);
  const full = most ?? Math.max(1, ...shown);
  const blocks = "▁▂▃▄▅▆▇█";
  return shown
    .map((value) => blocks[Math.min(7, Math.floor((value / full) * 7.999))] ?? " ")
    .join("");
}

/** A span in words: "850 ms", "12.3 s", "4 m 05 s". */
export function span(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} m ${String(seconds % 60).padStart(2, "0")} s`;
}

/** A longer span in its two largest units: "41 s", "2 m 05 s", "3 h 20 m", "4 d 7 h". */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const parts = (large: number, small: number, units: string): string =>
    `${large} ${units[0]} ${String(small).padStart(units[1] === "h" ? 1 : 2, "0")} ${units[1]}`;
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return parts(minutes, seconds % 60, "ms");
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return parts(hours, minutes % 60, "hm");
  return parts(Math.floor(hours / 24), hours % 24, "dh");
}

/** A count with groups: 12,345. By hand, for loading a locale takes longer than a whole answer. */
export function count(value: number): string {
  return `${Math.round(value)}`.replace(/\B(?=(\d{3})+$)/g, ",");
}
