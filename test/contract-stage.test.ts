import { cloudContract } from "./contract.ts";
import { newStage, stageCloud } from "./stage-cloud.ts";

cloudContract("stage", async () => {
  const stage = newStage();
  return {
    cloud: stageCloud(stage),
    async advance() {
      stage.nowMs += 5_000;
    },
    async stop() {},
  };
});
