import { archived, ask } from "../protect.ts";
import { prepare } from "../measurement/prepare.ts";
import { measureWarm } from "../measurement/warm.ts";
import { withDatabase, databaseName } from "../environments/local/database.ts";
import type { Scenario } from "./scenario.ts";

/** A delete without its second condition: every replica has it within a second, only history helps. */
export const operatorError: Scenario = {
  name: "operator-error",
  title: "half of a table is deleted by mistake: PITR to just before it",
  scope: "logical",
  tiers: ["warm"],
  async play(stage) {
    const known = await prepare(stage, { tier: "warm", stores: ["postgres"] });
    await known.predictWarm();
    let deleted = 0;
    await stage.run.strike("half of the agents' episodic memory is deleted by mistake", async () => {
      const leader = await stage.env.requireLeader();
      deleted = await withDatabase(leader, databaseName, async (client) => (await client.query("delete from episodic_memory where hashtext(agent_id) % 2 = 0")).rowCount ?? 0);
    });
    stage.run.show("rows deleted by mistake", deleted.toLocaleString("en"), deleted > 0);
    await stage.run.steps.step("detect", "production goes on until the mistake's WAL is in both stores", async () => {
      await archived(stage, await ask(stage, "select pg_walfile_name(pg_switch_wal()) as value"));
    });
    stage.run.detected(new Date());
    await measureWarm(stage, known, { stores: ["postgres"], before: stage.run.disasterAt });
  },
};
