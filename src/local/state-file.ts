/**
 * State in files, so that a killed lambdaflex resumes where it was.
 *
 * Each revision is a file of its own, `status.<revision>.json`, made by linking a complete and
 * synced temporary file: linking fails if the name exists, which is an atomic compare-and-swap on
 * every file system, also between processes. The two newest revisions are kept.
 */
import { link, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";

/** Revisions of one JSON document in a folder. */
export interface RevisionedFile<T> {
  /** The newest readable revision, or `null` if there is none. */
  read(): Promise<{ readonly revision: number; readonly value: T } | null>;
  /** Stores `value` as `revision`; `false` if that revision exists already. */
  write(revision: number, value: T): Promise<boolean>;
}

/** Opens the revisions `<name>.<revision>.json` in `folder`, which is created if missing. */
export async function openRevisions<T>(folder: string, name: string): Promise<RevisionedFile<T>> {
  await mkdir(folder, { recursive: true });
  const pathOf = (revision: number): string => join(folder, `${name}.${revision}.json`);

  const revisions = async (): Promise<number[]> => {
    const numbers = (await readdir(folder)).flatMap((entry) => {
      const [head, number, tail] = entry.split(".");
      const named = head === name && tail === "json" && /^\d{1,15}$/.test(number ?? "");
      return named ? [Number(number)] : [];
    });
    return numbers.sort((a, b) => b - a);
  };

  return {
    async read() {
      for (const revision of await revisions()) {
        const value = await readJson<T>(pathOf(revision));
        // A file that was damaged from outside must not hide the good one before it.
        if (value !== null) return { revision, value };
      }
      return null;
    },
    async write(revision, value) {
      const temporary = await writeSynced(folder, name, value);
      try {
        await link(temporary, pathOf(revision));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
        throw error;
      } finally {
        await rm(temporary, { force: true });
      }
      for (const old of await revisions()) {
        if (old < revision - 1) await rm(pathOf(old), { force: true });
      }
      return true;
    },
  };
}

/** A JSON document that one process overwrites as a whole. */
export interface Snapshot<T> {
  read(): Promise<T | null>;
  write(value: T): Promise<void>;
}

/** Opens `<name>.json` in `folder`; readers see the old or the new document, never half of one. */
export function openSnapshot<T>(folder: string, name: string): Snapshot<T> {
  const path = join(folder, `${name}.json`);
  return {
    read: () => readJson<T>(path),
    async write(value) {
      await rename(await writeSynced(folder, name, value), path);
    },
  };
}

let temporaries = 0;

async function writeSynced(folder: string, name: string, value: unknown): Promise<string> {
  temporaries += 1;
  const path = join(folder, `.${name}.${process.pid}.${temporaries}.tmp`);
  const file = await open(path, "wx", 0o600);
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

async function readJson<T>(path: string): Promise<T | null> {
  try {
    const value: unknown = JSON.parse(await readFile(path, "utf8"));
    return typeof value === "object" && value !== null ? (value as T) : null;
  } catch {
    return null;
  }
}

/** A folder that only one living process uses at a time. */
export interface FolderLock {
  release(): Promise<void>;
}

/**
 * Takes the lock of `folder`; returns the owner's process id instead if it lives.
 * A lock whose owner is dead is taken over.
 */
export async function lockFolder(folder: string): Promise<FolderLock | number> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, "lock");
  for (let attempt = 0; attempt < 5; attempt += 1) {
    try {
      const file = await open(path, "wx", 0o600);
      await file.writeFile(`${process.pid}\n`);
      await file.close();
      return { release: () => rm(path, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const owner = Number.parseInt(await readFile(path, "utf8").catch(() => ""), 10);
    if (Number.isInteger(owner) && owner !== process.pid && isAlive(owner)) return owner;
    await rm(path, { force: true });
  }
  return -1;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
