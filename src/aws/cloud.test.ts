/** The AWS adapter is held to the contract, over the wire. */

import { seedDeployment } from "../../test/aws/deployment.ts";
import { startLoopback } from "../../test/aws/loopback/server.ts";
import { createWorld } from "../../test/aws/world/world.ts";
import { cloudContract } from "../../test/contract.ts";
import { initialStatus } from "../core/index.ts";
import { awsCloud, readDeployment } from "./index.ts";

void initialStatus;
cloudContract("AWS", async () => {
  const world = createWorld({ seed: 7 });
  const seeded = seedDeployment(world);
  const aws = await startLoopback(world);
  Object.assign(process.env, aws.environment);
  const cloud = awsCloud(readDeployment({ ...seeded.variables }), {
    region: world.region,
    nowMs: () => world.nowMs,
    settings: { readinessPath: "/", drainQuietMs: 600_000, watchesWindows: false },
    probe: async () => true,
  });
  return {
    cloud,
    advance: async () => world.advance(5_000),
    async stop() {
      cloud.close();
      await aws.stop();
    },
  };
});
