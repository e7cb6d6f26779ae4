/** Recordings on disk: written line by line, so that a run that is killed leaves whole lines. */
import { closeSync, createReadStream, openSync, writeSync } from "node:fs";
import { type RunRecord, type RunStream, recordLine } from "../core/record.ts";
import { lineCharactersMax, parseRecord, RecordError } from "../core/record-lines.ts";
import { boundedHistory, type History } from "./run-history.ts";

/** A recording that is being written. */
export interface Recording {
  stop(): void;
}

/** A recording that is larger ends: days of a stream. */
const bytesMax = 1024 ** 3;

/**
 * Writes everything that a stream tells to a file from now on, its head first. When it cannot go on
 * it says why, once, and the run goes on without it.
 * @throws what opening the file throws
 */
export function startRecording(
  stream: RunStream,
  path: string,
  onEnd: (why: string) => void,
): Recording {
  const file = openSync(path, "w");
  let bytes = 0;
  let open = true;
  const stop = (): void => {
    if (open) closeSync(file);
    open = false;
    unsubscribe();
  };
  const write = (record: RunRecord): void => {
    if (!open) return;
    try {
      bytes += writeSync(file, recordLine(record));
      if (bytes <= bytesMax) return;
      onEnd("it is 1 GB large");
    } catch (error) {
      onEnd((error as NodeJS.ErrnoException).code ?? "no reason given");
    }
    stop();
  };
  const unsubscribe = stream.subscribe(write);
  write(stream.head);
  return { stop };
}

/**
 * Reads a recording of any length in bounded memory.
 * @throws RecordError, or what reading the file throws
 */
export async function readRecording(path: string): Promise<History> {
  const history = boundedHistory();
  let number = 0;
  let rest = "";
  for await (const chunk of createReadStream(path, "utf8") as AsyncIterable<string>) {
    const lines = `${rest}${chunk}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      number += 1;
      history.add(parseRecord(line, number));
    }
    // A file without lines is no recording: it must not be read into memory as a whole.
    if (rest.length > lineCharactersMax) parseRecord(rest, number + 1);
  }
  if (rest !== "" && number === 0) parseRecord(rest, 1);
  if (number === 0) parseRecord("", 1);
  if (rest !== "") {
    const hint = "Is it still being written? Else remove its last line: head -n -1 FILE.";
    throw new RecordError(
      "RECORD_TRUNCATED",
      `the recording breaks off in line ${number + 1}`,
      hint,
    );
  }
  return history;
}
