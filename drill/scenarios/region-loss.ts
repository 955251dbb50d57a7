import { measureHot } from "../measurement/hot.ts";
import { measureWarm } from "../measurement/warm.ts";
import { prepare } from "../measurement/prepare.ts";
import type { Scenario } from "./scenario.ts";

/** Every server of the primary region is killed and its disks are gone; then the other region too. */
export const regionLoss: Scenario = {
  name: "region-loss",
  title: "the primary region dies: the other one takes over; then all is recovered from the object stores",
  scope: "region",
  tiers: ["hot", "warm"],
  async play(stage) {
    const { env } = stage;
    const known = await prepare(stage, { tier: "hot", stores: ["postgres", "redis"] });
    await stage.run.strike("SIGKILL to every server of the primary region, its disks gone", () => env.killRegion("a"));
    await measureHot(stage, known, { region: "b", stores: ["postgres", "redis"] });

    stage.begin("warm");
    await known.worstMoment();
    await stage.run.strike("SIGKILL to every server of the secondary region too, its disks gone", () => env.killRegion("b"));
    await measureWarm(stage, known, { stores: ["postgres", "redis"] });
  },
};
