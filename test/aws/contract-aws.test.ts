/** The AWS adapter is held to the contract over the wire, with drawn delays and late metrics. */
import { awsCloud, readDeployment } from "../../src/aws/index.ts";
import { cloudContract } from "../contract.ts";
import { seedDeployment } from "./deployment.ts";
import { startLoopback } from "./loopback/server.ts";
import { probeOf } from "./world/probe.ts";
import { createWorld } from "./world/world.ts";

cloudContract("AWS over the loopback", async () => {
  const world = createWorld({ seed: 11 });
  const seeded = seedDeployment(world);
  world.traffic.rate = () => 20;
  const aws = await startLoopback(world);
  Object.assign(process.env, aws.environment);
  const cloud = awsCloud(readDeployment({ ...seeded.variables }), {
    region: world.region,
    nowMs: () => world.nowMs,
    settings: { readinessPath: "/", drainQuietMs: 600_000, stirs: null },
    probe: probeOf(world),
  });
  return {
    cloud,
    advance: async () => world.advance(10_000),
    async stop() {
      cloud.close();
      await aws.stop();
    },
  };
});
