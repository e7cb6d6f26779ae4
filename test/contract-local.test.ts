/** The local cloud with real processes, sockets and files is held to the contract as well. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { prepare } from "../src/cli/prepare.ts";
import { leashedLeft } from "../src/local/leash.ts";
import { startLocal } from "../src/local/start.ts";
import { cloudContract } from "./contract.ts";

const example = join(import.meta.dirname, "..", "examples", "pet-store-node");

/** A virtual hour in six real seconds. */
const speed = 600;

cloudContract("local", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lambdaflex-contract-"));
  const prepared = await prepare(example, () => undefined, new AbortController().signal);
  const local = await startLocal({
    ...prepared.local,
    speed,
    seed: 1,
    stateFolder: folder,
    startMs: 1_700_000_000_000,
    controlled: false,
  });
  return {
    cloud: local.cloud,
    advance: () => local.clock.sleep(5_000),
    async stop() {
      await local.stop();
      assert.equal(await leashedLeft(2_000), 0, "processes are left running");
      rmSync(folder, { recursive: true, force: true });
    },
  };
});
