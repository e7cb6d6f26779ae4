/**
 * State in files, so that a killed lambdaflex resumes where it was.
 *
 * Each revision is a file of its own, `status.<revision>.json`, made by linking a complete and
 * synced temporary file: linking fails if the name exists, which is an atomic compare-and-swap,
 * also between processes. The newest revisions are kept.
 */
import { link, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";

/** Thrown when a stored document is none of ours, or of another version: it is left alone. */
export class StateForeign extends Error {
  override readonly name = "StateForeign";
}

/** Whether a document is what it should be. */
export type Accepts<T> = (value: unknown) => value is T;

/** Revisions of one JSON document in a folder. */
export interface RevisionedFile<T> {
  /**
   * The newest revision, 0 if there is none, and the document that holds in it: a file that was
   * damaged from outside counts, but the good one before it is what it says. `null` if none is
   * readable. Rejects when a file may not be read, and with StateForeign when it is not ours.
   */
  read(): Promise<{ readonly revision: number; readonly value: T | null }>;
  /** Stores `value` as `revision`; `false` if that revision or a later one exists already. */
  write(revision: number, value: T): Promise<boolean>;
}

/**
 * A name that is removed could be linked once more by somebody who slept since he last looked, and
 * a reader could find nothing left of what he saw: he would have to sleep through as many commits.
 */
const revisionsKept = 8;

/** Opens the revisions `<name>.<revision>.json` in `folder`, which is created if missing. */
export async function openRevisions<T>(
  folder: string,
  name: string,
  accepts: Accepts<T>,
): Promise<RevisionedFile<T>> {
  await mkdir(folder, { recursive: true });
  await sweepTemporaries(folder, name);
  const pathOf = (revision: number): string => join(folder, `${name}.${revision}.json`);

  const revisions = async (): Promise<number[]> => {
    const numbers = (await readdir(folder)).flatMap((entry) => {
      const [head, number, tail, ...rest] = entry.split(".");
      const named = head === name && tail === "json" && rest.length === 0;
      return named && /^[1-9]\d{0,14}$/.test(number ?? "") ? [Number(number)] : [];
    });
    return numbers.sort((a, b) => b - a);
  };

  return {
    async read() {
      const numbers = await revisions();
      const revision = numbers[0] ?? 0;
      for (const number of numbers) {
        const value = await readJson(pathOf(number), accepts);
        if (value !== null) return { revision, value };
      }
      return { revision, value: null };
    },
    async write(revision, value) {
      const temporary = await writeSynced(folder, name, value);
      try {
        if (((await revisions())[0] ?? 0) >= revision) return false;
        await link(temporary, pathOf(revision));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
        throw error;
      } finally {
        await rm(temporary, { force: true });
      }
      for (const old of (await revisions()).slice(revisionsKept)) {
        await rm(pathOf(old), { force: true });
      }
      return true;
    },
  };
}

/** A JSON document that one process overwrites as a whole. */
export interface Snapshot<T> {
  /** `null` if there is none or if it is damaged. Rejects as `RevisionedFile.read` does. */
  read(): Promise<T | null>;
  write(value: T): Promise<void>;
}

/** Opens `<name>.json` in `folder`; readers see the old or the new document, never half of one. */
export function openSnapshot<T>(folder: string, name: string, accepts: Accepts<T>): Snapshot<T> {
  const path = join(folder, `${name}.json`);
  return {
    read: () => readJson(path, accepts),
    async write(value) {
      const temporary = await writeSynced(folder, name, value);
      try {
        await rename(temporary, path);
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    },
  };
}

let temporaries = 0;

/** A temporary file is named after its process: what a dead one left behind may be overwritten. */
async function writeSynced(folder: string, name: string, value: unknown): Promise<string> {
  temporaries += 1;
  const path = join(folder, `.${name}.${process.pid}.${temporaries}.tmp`);
  const file = await open(path, "w", 0o600);
  try {
    await file.writeFile(`${JSON.stringify(value, null, 1)}\n`);
    await file.sync();
    await file.close();
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(path, { force: true });
    throw error;
  }
  return path;
}

/** Removes what processes left behind that were killed while they wrote. */
async function sweepTemporaries(folder: string, name: string): Promise<void> {
  for (const entry of await readdir(folder)) {
    const [empty, of, pid, , tail] = entry.split(".");
    if (empty !== "" || of !== name || tail !== "tmp") continue;
    // Our own number in front of a first write: it belonged to another process before.
    const own = Number(pid) === process.pid;
    if (own ? temporaries === 0 : !isAlive(Number(pid))) {
      await rm(join(folder, entry), { force: true });
    }
  }
}

/** What is damaged is `null`; what may not be read is an error, or it would be overwritten. */
async function readJson<T>(path: string, accepts: Accepts<T>): Promise<T | null> {
  const value = await readFile(path, "utf8")
    .then((text): unknown => JSON.parse(text))
    .catch((error: NodeJS.ErrnoException) => {
      if (error instanceof SyntaxError || error.code === "ENOENT") return null;
      throw error;
    });
  if (typeof value !== "object" || value === null) return null;
  if (accepts(value)) return value;
  throw new StateForeign(`${path} is of another version`);
}

/** A folder that only one living process uses at a time. */
export interface FolderLock {
  release(): Promise<void>;
}

/**
 * Takes the lock of `folder`; returns the owner's process id instead if it lives.
 *
 * The owner is a revisioned document too, `lock.<revision>.json`: whoever finds it free or its
 * owner dead competes for the next revision, and compare-and-swap lets exactly one have it.
 */
export async function lockFolder(folder: string): Promise<FolderLock | number> {
  const store = await openRevisions(folder, "lock", isOwner);
  for (;;) {
    const { revision, value } = await store.read();
    const pid = value?.pid ?? null;
    if (pid !== null && pid !== process.pid && isAlive(pid)) return pid;
    const taken = revision + 1;
    if (!(await store.write(taken, { pid: process.pid }))) continue;
    return {
      async release() {
        // The folder may be gone: then there is nothing to release.
        await store.write(taken + 1, { pid: null }).catch(() => false);
      },
    };
  }
}

/** `null` when the lock was released. */
interface Owner {
  readonly pid: number | null;
}

function isOwner(value: unknown): value is Owner {
  const { pid } = Object(value) as Partial<Owner>;
  return pid === null || Number.isInteger(pid);
}

/** Whether a process of that number lives. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
