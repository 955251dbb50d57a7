import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hours } from "../../../../plan/units.ts";
import { outcomeOf } from "../../../../runner/catalog/record.ts";
import { backUpPostgres, type BackUpResult } from "../../../../runner/stores/postgres/back-up.ts";
import { initialisePostgres } from "../../../../runner/stores/postgres/initialise.ts";
import { postgresWatermark } from "../../../../runner/stores/postgres/watermark.ts";
import { beginRecovery } from "../../../../runner/retention/recovery-lease.ts";
import { recoveryWindow } from "../../../../runner/recovery/window.ts";
import { observeCommands } from "../../../../runner/system/process.ts";
import { startProtectedPostgres, type ProtectedPostgres } from "../../../harness/protected-postgres.ts";
import { s3Installed } from "../../../harness/s3.ts";

const recordOf = (result: BackUpResult) => {
  if (result.outcome === "skipped") throw new Error(`skipped: ${result.why}`);
  return result.record;
};

describe.skipIf(!s3Installed)("backups of PostgreSQL into two stores (needs versitygw)", () => {
  let system: ProtectedPostgres;
  beforeAll(async () => {
    system = await startProtectedPostgres("backup");
    await system.client.query("CREATE TABLE t AS SELECT g AS id, md5(g::text) AS text FROM generate_series(1, 1000) g");
  });
  afterAll(() => system.close());

  it("are made in each store, full, differential and incremental, and leave a record with a label per copy", async () => {
    for (const kind of ["full", "diff", "incremental"] as const) {
      const record = recordOf(await backUpPostgres(system.context, kind));
      expect(outcomeOf(record)).toBe("ok");
      expect(record.copies.map((copy) => copy.backend)).toEqual(["r2", "s3"]);
      expect(record.watermark).toMatchObject({ timeline: 1, lsn: expect.stringMatching(/^0\//) as string });
      const labels = record.copies.map((copy) => (copy.status === "ok" ? copy.label : undefined));
      const pattern = { full: /^\d{8}-\d{6}F$/, diff: /F_\d{8}-\d{6}D$/, incremental: /F_\d{8}-\d{6}I$/ }[kind];
      for (const label of labels) expect(label).toMatch(pattern);
      expect(await system.context.catalog.find(record.id)).toEqual(record);
    }
  });

  it("leave a record of their failure where the server does not answer, as alerts are made from records", async () => {
    const dead = await system.other("dead", { postgres: { ...system.postgres.config, port: 1 } });
    try {
      await expect(backUpPostgres(dead, "incremental")).rejects.toMatchObject({ kind: "unavailable" });
      const { records } = await dead.catalog.list({ store: "postgres", kind: "incremental" });
      expect(records.at(-1)?.copies).toEqual(["r2", "s3"].map((backend) => ({ backend, status: "failed", kind: "unavailable", error: expect.stringMatching(/does not take the connection/) as string })));
    } finally {
      dead.close();
    }
  });

  it("can be made ready again without a change", async () => {
    expect(await initialisePostgres(system.context)).toEqual({ repositories: [{ repository: "r2", ok: true }, { repository: "s3", ok: true }] });
  });

  it("are made ready under a lock that is not the archiver's, whose push would give up without a word and be waited for", async () => {
    const commands: (readonly string[])[] = [];
    const stop = observeCommands(({ args }) => commands.push(args));
    await initialisePostgres(system.context).finally(stop);
    const locks = commands.filter((args) => args.includes("stanza-create")).map((args) => args.find((arg) => arg.startsWith("--lock-path="))?.slice("--lock-path=".length));
    expect(locks).toHaveLength(2);
    const archiver = await readFile(join(system.context.config.workDirectory, "pgbackrest", "archiver.conf"), "utf8");
    for (const lock of locks) {
      expect(await readdir(lock ?? "")).toEqual([]); // it was there, and is given back
      expect(archiver).not.toContain(`lock-path=${lock ?? ""}\n`);
    }
  });

  it("show how far the WAL reaches in each store, and the window", async () => {
    for (const watermark of await postgresWatermark(system.context)) expect(watermark).toMatchObject({ status: "ok", timeline: 1 });
    for (const window of await recoveryWindow(system.context)) expect(window).toMatchObject({ status: "ok", backups: 3 });
  });

  it("expire what is over behind the next backup, and nothing while somebody recovers", async () => {
    const later = { ...system.context, clock: { now: () => new Date(Date.now() + hours(30) * 1_000) } };
    const standing = async () => (await recoveryWindow(system.context)).map((window) => (window.status === "ok" ? window.backups : 0));
    const recovery = await beginRecovery(later, "dr recover postgres");
    await backUpPostgres(later, "full");
    expect(await standing()).toEqual([4, 4]); // the incremental one is a day and more old, and nothing needs it
    expect(system.context.reports.some(({ step }) => step.startsWith("r2: nothing expires, because of a recovery"))).toBe(true);
    await recovery.release();
    await backUpPostgres(later, "incremental");
    expect(await standing()).toEqual([4, 4]);
  });
});
