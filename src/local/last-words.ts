/** What a process said before it ended: of all its lines the one that names the reason. */

/** Listens to the lines of a process. */
export interface LastWords {
  hear(line: string): void;
  /** The newest line that looks like an error, else the newest one; empty without any. */
  readonly words: string;
}

/** Runtimes print stack traces and their own version after the line that says what happened. */
const error = /^(\S*(error|exception)\b|panic:|fatal\b)/i;
/** What our bootstrap says last: it repeats how the process ended. */
const echo = /^lambdaflex: (the service ended|invocation \S+ failed)/;
const heardMax = 60;
const lengthMax = 500;

/** Nothing heard yet. */
export function createLastWords(): LastWords {
  const heard: string[] = [];
  return {
    hear(line) {
      if (line.trim() === "" || echo.test(line)) return;
      heard.push(line.trimEnd().slice(0, lengthMax));
      if (heard.length > heardMax) heard.shift();
    },
    get words() {
      return (heard.findLast((line) => error.test(line)) ?? heard.at(-1) ?? "").trim();
    },
  };
}
