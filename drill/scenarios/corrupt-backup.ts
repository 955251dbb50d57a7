import { flipBackups } from "../faults/flip.ts";
import { prepare } from "../measurement/prepare.ts";
import { measureWarm } from "../measurement/warm.ts";
import { verificationsSchema } from "../protect.ts";
import type { Scenario } from "./scenario.ts";

/** Bytes of the newest backups in the R2 store are flipped; then both regions are lost. */
export const corruptBackup: Scenario = {
  name: "corrupt-backup",
  title: "bytes of the newest backup in one store are flipped: verification sees it, the other copy recovers",
  scope: "region",
  tiers: ["warm"],
  async play(stage) {
    const { env } = stage;
    const known = await prepare(stage, { tier: "warm", stores: ["postgres", "redis"] });
    const flipped = await stage.run.steps.step("disaster", "flip bytes of the newest backups in the R2 store", () => flipBackups(env.stores.r2.dataFolder));
    for (const path of flipped) stage.run.show("flipped a byte of", path, true);
    await stage.run.steps.step("detect", "verify the newest backups", async () => {
      for (const store of ["postgres", "redis"]) {
        const { data } = await stage.dr(["verify", stage.backups.get(store) ?? "latest"], { accept: [1] });
        for (const { copies } of verificationsSchema.parse(data).verified) {
          const bad = copies.find(({ backend }) => backend === "r2");
          const good = copies.find(({ backend }) => backend === "s3");
          stage.run.show(`verification names the damage of ${store} in r2`, bad?.errors[0] ?? "nothing was found", bad?.ok === false && bad.errors.length > 0);
          stage.run.show(`verification passes the copy of ${store} in s3`, good?.errors[0] ?? "restored and queried", good?.ok === true);
        }
      }
    });
    await known.worstMoment();
    await stage.run.strike("SIGKILL to every server of both regions, their disks gone", async () => {
      await Promise.all([env.killRegion("a"), env.killRegion("b")]);
    });
    await measureWarm(stage, known, { stores: ["postgres", "redis"], from: "s3" });
  },
};
