/**
 * Lines in a file of bounded size: what happened, and what a service said.
 *
 * When the file is full it becomes the older half and a new one begins, so that between one and two
 * times its size is kept. Writing never blocks and never fails its caller: a disk that is too slow
 * or full loses lines, and the next line that gets through says how many.
 */
import { type FileHandle, mkdir, open, readFile, rename, stat } from "node:fs/promises";
import { join } from "node:path";

/** Appends lines. */
export interface RollingFile {
  append(line: string): void;
  /** Resolves when everything is written that can be. */
  close(): Promise<void>;
}

/** Lines that wait for a slow disk. */
const pendingMax = 20_000;
/** Bytes that are read or written at once. */
const chunkBytes = 256 * 1024;

/** Paths of both halves, the older one first. */
function halves(folder: string, name: string): readonly [older: string, newer: string] {
  return [join(folder, `${name}.old.ndjson`), join(folder, `${name}.ndjson`)];
}

/**
 * Opens `<name>.ndjson` in `folder`, which is created if missing. `lost` makes the line that tells
 * how many are missing.
 */
export async function openRollingFile(
  folder: string,
  name: string,
  bytesMax: number,
  lost: (lines: number) => string,
): Promise<RollingFile> {
  await mkdir(folder, { recursive: true });
  const [older, newer] = halves(folder, name);
  let file: FileHandle | null = null;
  let size = 0;
  const pending: string[] = [];
  let dropped = 0;
  let writing: Promise<void> | null = null;

  const begin = async (): Promise<FileHandle> => {
    const begun = await open(newer, "a", 0o600);
    size = (await begun.stat()).size;
    return begun;
  };
  const write = async (text: string): Promise<void> => {
    const bytes = Buffer.byteLength(text);
    file ??= await begin();
    if (size > 0 && size + bytes > bytesMax) {
      await file.close();
      file = null;
      await rename(newer, older);
      file = await begin();
    }
    await file.write(text);
    size += bytes;
  };
  /** As many lines as may be written at once. */
  const take = (): readonly string[] => {
    let bytes = 0;
    const end = pending.findIndex((line) => {
      bytes += Buffer.byteLength(line) + 1;
      return bytes > Math.min(bytesMax, chunkBytes);
    });
    return pending.splice(0, end < 0 ? pending.length : Math.max(1, end));
  };
  const drain = async (): Promise<void> => {
    while (pending.length > 0 || dropped > 0) {
      const missing = dropped;
      const lines = missing > 0 ? [lost(missing)] : take();
      dropped -= missing;
      try {
        await write(`${lines.join("\n")}\n`);
      } catch {
        dropped += missing > 0 ? missing : lines.length;
        await file?.close().catch(() => undefined);
        file = null;
        return;
      }
    }
  };
  return {
    append(line) {
      if (pending.length >= pendingMax) dropped += 1;
      else pending.push(line);
      writing ??= drain().finally(() => {
        writing = null;
      });
    },
    async close() {
      await writing;
      await drain();
      await file?.close().catch(() => undefined);
      file = null;
    },
  };
}

/** All lines that are kept, oldest first; the last one may still be being written. */
export async function readRollingFile(folder: string, name: string): Promise<readonly string[]> {
  const texts = await Promise.all(halves(folder, name).map(textOrEmpty));
  return texts.flatMap((text) => text.split("\n").slice(0, -1));
}

function textOrEmpty(path: string): Promise<string> {
  return readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
}

/** A reader of what is kept and of what is appended later. */
export interface RollingReader {
  /** The whole lines since the last call; at the first one all that are kept. */
  next(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/**
 * Follows `<name>.ndjson` in `folder` from its oldest line. It holds the file open, so that nothing
 * is missed when that becomes the older half; who reads so seldom that two begin misses one.
 */
export async function followRollingFile(folder: string, name: string): Promise<RollingReader> {
  const [older, newer] = halves(folder, name);
  let file = await openOrNull(older);
  let offset = 0;
  const added = async (from: FileHandle): Promise<readonly string[]> => {
    const { lines, bytes } = await linesFrom(from, offset);
    offset += bytes;
    return lines;
  };
  return {
    async next() {
      const lines: string[] = [];
      const current = await stat(newer).catch(() => null);
      if (file !== null) {
        const held = (await file.stat()).ino;
        lines.push(...(await added(file)));
        if (current === null || current.ino === held) return lines;
        await file.close();
        file = null;
      }
      file = await openOrNull(newer);
      offset = 0;
      if (file !== null) lines.push(...(await added(file)));
      return lines;
    },
    async close() {
      await file?.close();
      file = null;
    },
  };
}

function openOrNull(path: string): Promise<FileHandle | null> {
  return open(path, "r").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
}

/** The whole lines from `offset` on, and the bytes that they take. */
async function linesFrom(
  file: FileHandle,
  offset: number,
): Promise<{ readonly lines: readonly string[]; readonly bytes: number }> {
  const parts: Buffer[] = [];
  for (let at = offset; ; ) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(chunkBytes), 0, chunkBytes, at);
    if (bytesRead === 0) break;
    parts.push(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
  const text = Buffer.concat(parts);
  const bytes = text.lastIndexOf("\n") + 1;
  if (bytes === 0) return { lines: [], bytes };
  return { lines: text.toString("utf8", 0, bytes - 1).split("\n"), bytes };
}
