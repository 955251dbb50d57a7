import { prepare } from "../measurement/prepare.ts";
import { measureWarm } from "../measurement/warm.ts";
import type { Scenario } from "./scenario.ts";

/** Both regions and the R2 store at one moment: what is left is the other provider's store. */
export const providerLoss: Scenario = {
  name: "provider-loss",
  title: "the regions die and Cloudflare's R2 with them: all is recovered from S3",
  scope: "provider",
  tiers: ["warm"],
  async play(stage) {
    const { env } = stage;
    const known = await prepare(stage, { tier: "warm", stores: ["postgres", "redis"] });
    await known.worstMoment();
    await stage.run.strike("SIGKILL to every server of both regions and to the R2 store, their disks gone", async () => {
      await Promise.all([env.killRegion("a"), env.killRegion("b"), env.killBackend("r2")]);
    });
    await measureWarm(stage, known, { stores: ["postgres", "redis"], from: "s3" });
  },
};
