import { measureHot } from "../measurement/hot.ts";
import { prepare } from "../measurement/prepare.ts";
import type { Scenario } from "./scenario.ts";

/** The database leader alone is killed, at a moment when its neighbour is its synchronous standby. */
export const primaryLoss: Scenario = {
  name: "primary-loss",
  title: "the database leader is killed: the synchronous replica is promoted, no committed row is lost",
  scope: "process",
  tiers: ["hot"],
  async play(stage) {
    const known = await prepare(stage, { tier: "hot", stores: ["postgres"], backups: false });
    await stage.run.steps.step("protect", "wait until a2 is the synchronous standby", () => known.synchronous());
    await stage.run.strike("SIGKILL to the database leader a1 and all its processes", () => stage.env.killServer("a1"));
    await measureHot(stage, known, { region: "a", stores: ["postgres"] });
  },
};
