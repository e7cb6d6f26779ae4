/** A base image made from this machine's own files: Node, a shell, and the libraries of both. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const name = "lambdaflex-test/base:machine";

/** Whether a Docker engine and its command are there. */
export function engineAnswers(): boolean {
  try {
    execFileSync("docker", ["version"], { stdio: "ignore", timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}

/** Imports the image and tells its name. Nothing is pulled. */
export function importBaseImage(): string {
  const root = mkdtempSync(join(tmpdir(), "lambdaflex-base-"));
  try {
    const node = join(root, "usr/local/bin/node");
    place(realpathSync(process.execPath), node);
    place(realpathSync("/bin/sh"), join(root, "bin/sh"));
    place("/usr/bin/env", join(root, "usr/bin/env"));
    const adapter = process.env.LAMBDAFLEX_ADAPTER ?? "";
    const programs = [process.execPath, "/bin/sh", "/usr/bin/env"];
    for (const program of existsSync(adapter) ? [...programs, adapter] : programs) {
      const linked = execFileSync("ldd", [program], { encoding: "utf8" });
      for (const [library] of linked.matchAll(/\/\S+/g)) place(library, join(root, library));
    }
    mkdirSync(join(root, "tmp"));
    chmodSync(join(root, "tmp"), 0o1777);
    const tar = execFileSync("tar", ["-C", root, "-c", "."], { maxBuffer: 2 ** 30 });
    execFileSync("docker", ["import", "-", name], { input: tar, stdio: "pipe" });
    return name;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Builds an image for a processor that this machine is not, and tells its name. */
export function buildForeignImage(): string {
  const foreign = "lambdaflex-test/foreign";
  const folder = mkdtempSync(join(tmpdir(), "lambdaflex-foreign-"));
  try {
    writeFileSync(join(folder, "Dockerfile"), 'FROM scratch\nCOPY Dockerfile /\nCMD ["/none"]\n');
    const platform = process.arch === "arm64" ? "linux/amd64" : "linux/arm64";
    const args = ["build", "--quiet", "--platform", platform, "--tag", foreign, folder];
    execFileSync("docker", args, { stdio: "pipe" });
    return foreign;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function place(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(realpathSync(from), to);
}

/** The pet store with a Dockerfile on the base image; `bootstrap.mjs` is the built one. */
export function petStoreFiles(folder: string, repository: string): void {
  const store = join(repository, "examples/pet-store-node");
  for (const file of ["server.js", "docs.html", "openapi.json", "package.json"]) {
    copyFileSync(join(store, file), join(folder, file));
  }
  copyFileSync(join(repository, "dist/runtime/bootstrap.js"), join(folder, "bootstrap.mjs"));
}
