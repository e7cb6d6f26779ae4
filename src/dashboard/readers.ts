/**
 * Those who follow a stream by server-sent events. A record is put into words once for all of them;
 * who does not read is dropped, so that nobody slows the engine or fills the memory.
 */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { RunRecord } from "../core/record.ts";

/** Everybody who follows. */
export interface Readers {
  /** Tells a new reader what was, and from then on what happens. */
  open(response: ServerResponse): void;
  tell(record: RunRecord): void;
  readonly count: number;
  /** Says goodbye to all; resolves when they have heard it, or do not listen. */
  close(): Promise<void>;
}

/** Windows of browsers that may follow at once. */
const readersMax = 32;
/** Bytes that may wait for a reader; more than minutes of a stream. */
const waitingBytesMax = 1024 * 1024;
/** Real time in which a reader may hear the end; who takes longer has left or stalls. */
const goodbyeMs = 500;
/** Records in one message of the past. */
const batchRecords = 100;

interface Reader {
  readonly response: ServerResponse;
  /** What happens while the past is still being told, `null` once it has been. */
  meanwhile: string[] | null;
  meanwhileBytes: number;
}

/** `past` gives what a new reader has to know. */
export function createReaders(past: () => readonly RunRecord[]): Readers {
  const readers = new Set<Reader>();
  const drop = (reader: Reader): void => {
    readers.delete(reader);
    reader.response.destroy();
  };
  const send = (reader: Reader, message: string): void => {
    if (reader.meanwhile !== null) {
      reader.meanwhile.push(message);
      reader.meanwhileBytes += message.length;
      if (reader.meanwhileBytes > waitingBytesMax) drop(reader);
      return;
    }
    if (reader.response.writableLength > waitingBytesMax) drop(reader);
    else reader.response.write(message);
  };
  return {
    get count() {
      return readers.size;
    },
    open(response) {
      if (readers.size >= readersMax) {
        response.writeHead(503, { "content-type": "text/plain" }).end("Too many readers.\n");
        return;
      }
      response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
      const reader: Reader = { response, meanwhile: [], meanwhileBytes: 0 };
      readers.add(reader);
      response.on("close", () => readers.delete(reader));
      tellPast(reader, past()).catch(() => drop(reader));
    },
    tell(record) {
      if (readers.size === 0) return;
      const message = messageOf([record]);
      for (const reader of readers) send(reader, message);
    },
    async close() {
      const leaving = [...readers];
      readers.clear();
      const patience = AbortSignal.timeout(goodbyeMs);
      const heard = leaving.map(({ response }) => {
        response.end("event: end\ndata: {}\n\n");
        return response.closed ? null : once(response, "close", { signal: patience });
      });
      await Promise.allSettled(heard);
    },
  };
}

/** Waits for a slow reader; what happens meanwhile is bounded, and told afterwards. */
async function tellPast(reader: Reader, records: readonly RunRecord[]): Promise<void> {
  const { response } = reader;
  for (let from = 0; from < records.length; from += batchRecords) {
    if (response.destroyed || response.writableEnded) return;
    const more = response.write(messageOf(records.slice(from, from + batchRecords)));
    if (!more) await drained(response);
  }
  if (response.writableEnded) return;
  for (const message of reader.meanwhile ?? []) response.write(message);
  reader.meanwhile = null;
}

async function drained(response: ServerResponse): Promise<void> {
  const ended = new AbortController();
  const { signal } = ended;
  try {
    await Promise.race([once(response, "drain", { signal }), once(response, "close", { signal })]);
  } finally {
    ended.abort();
  }
}

function messageOf(records: readonly RunRecord[]): string {
  return `data: ${JSON.stringify(records)}\n\n`;
}
