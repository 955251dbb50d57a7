import { open, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BackupRecord } from "../../../../runner/catalog/record.ts";
import { backUpPostgres } from "../../../../runner/stores/postgres/back-up.ts";
import { carryOut, planRecovery, recoverPostgres, type RecoverOptions } from "../../../../runner/stores/postgres/recover.ts";
import { forgetDamage } from "../../../../runner/stores/postgres/repository-check.ts";
import { createRestorePoint } from "../../../../runner/stores/postgres/restore-point.ts";
import { verifyPostgres } from "../../../../runner/stores/postgres/verify.ts";
import { startProtectedPostgres, type ProtectedPostgres } from "../../../harness/protected-postgres.ts";
import { s3Installed } from "../../../harness/s3.ts";

/** Inverts one byte of a file, at this share of its length. */
async function flip(path: string, at: number): Promise<void> {
  const file = await open(path, "r+");
  try {
    const { size } = await file.stat();
    const position = Math.floor(size * at);
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, position);
    await file.write(Buffer.from([byte.readUInt8(0) ^ 0xff]), 0, 1, position);
  } finally {
    await file.close();
  }
}

describe.skipIf(!s3Installed)("damage in a repository (needs versitygw)", () => {
  let system: ProtectedPostgres;
  let record: BackupRecord;
  let label: string;
  let segment: string;
  beforeAll(async () => {
    system = await startProtectedPostgres("damage");
    await system.client.query("CREATE TABLE t AS SELECT g AS id, md5(g::text) AS text FROM generate_series(1, 5000) g");
    await system.client.query("CREATE INDEX ON t (text)");
    const made = await backUpPostgres(system.context, "full");
    if (made.outcome === "skipped") throw new Error(made.why);
    ({ record } = made);
    const [r2] = record.copies;
    label = r2?.status === "ok" ? r2.label ?? "" : "";
    await system.client.query("INSERT INTO t SELECT g, md5(g::text) FROM generate_series(5001, 6000) g");
    segment = (await createRestorePoint(system.context, "after")).segment;
  });
  afterAll(() => system.close());

  it("is not there at first: every copy is restored, queried and good, and its work is measured", async () => {
    const verification = await verifyPostgres(system.context, record);
    expect(verification.copies.map(({ backend, ok, errors }) => ({ backend, ok, errors }))).toEqual([{ backend: "r2", ok: true, errors: [] }, { backend: "s3", ok: true, errors: [] }]);
    for (const { checks, measured } of verification.copies) {
      expect(checks.map(({ name }) => name)).toEqual(["files and WAL of the repository", "checksums of the database's pages", "restored", "structure of tables and indexes (pg_amcheck)", "every row read"]);
      expect(measured?.restoreBytes).toBeGreaterThan(20_000_000);
      expect(measured?.restoreSeconds).toBeGreaterThan(0);
    }
    const left = (await readdir(system.context.config.workDirectory)).filter((name) => /^(verify|recovery|wal)-/.test(name));
    expect(left).toEqual([]);
  });

  it("is named: a byte of a bundle, of a manifest, of a WAL segment; and recovery takes the other store by itself", async () => {
    const { dataFolder } = system.stores.r2;
    const backup = join(dataFolder, "pgbackrest", "backup", "main", label);
    const archive = join(dataFolder, "pgbackrest", "archive", "main", "15-1", segment.slice(0, 16));
    const wal = (await readdir(archive)).find((name) => name.startsWith(`${segment}-`)) ?? "";
    await flip(join(backup, "bundle", "1"), 0.3);
    await flip(join(backup, "backup.manifest"), 0.5);
    await flip(join(archive, wal), 0.5);
    forgetDamage(system.context);
    const verification = await verifyPostgres(system.context, record);
    expect(verification.ok).toBe(false);
    const [r2, s3] = verification.copies;
    const errors = r2?.errors.join("\n") ?? "";
    expect(errors).toMatch(new RegExp(`${label}/pg_data/\\S+: invalid checksum`));
    expect(errors).toMatch(new RegExp(`${label}/backup.manifest: `));
    expect(errors).toMatch(new RegExp(`${segment}-\\S+: invalid`));
    expect(s3).toMatchObject({ ok: true, errors: [] });

    const recovery = await recoverPostgres(system.context, { backup: record.id, target: { kind: "latest" }, into: system.place("whole") });
    try {
      expect(recovery.repository).toBe("s3");
      const client = new Client({ host: recovery.socketDirectory, port: recovery.port, user: "postgres", database: "postgres" });
      await client.connect();
      const { rows } = await client.query<{ good: string }>("SELECT count(*) FILTER (WHERE text = md5(id::text)) AS good FROM t");
      await client.end();
      expect(rows[0]?.good).toBe("6000");
    } finally {
      await system.drop(recovery);
    }

    // The WAL alone is damaged: PostgreSQL would take that for its end, and lose what follows without a word.
    await flip(join(backup, "bundle", "1"), 0.3);
    await flip(join(backup, "backup.manifest"), 0.5);
    await expect(recoverPostgres(system.context, { backup: record.id, target: { kind: "latest" }, into: system.place("short"), backend: "r2" })).rejects.toThrow(/before the archive's newest segment .* was replayed: it, or a segment between them, is missing or damaged/);
    expect(await readdir(system.place("short"))).toEqual([]);

    // Nor does the server that came to nothing disturb the one from the other store.
    const options: RecoverOptions = { backup: record.id, target: { kind: "latest" }, into: system.place("second") };
    const planned = await planRecovery(system.context, options);
    const second = await carryOut(system.context, options, { ...planned, candidates: planned.candidates.toSorted((a, b) => (a.plan.repository < b.plan.repository ? -1 : 1)) });
    await system.drop(second);
    expect(second).toMatchObject({ repository: "s3", failed: [{ repository: "r2", error: expect.stringMatching(/before the archive's newest segment/) as string }] });
    const replayed = [...(await readFile(second.logFile, "utf8")).matchAll(/restored log file "([0-9A-F]{24})"/g)];
    expect(second.bytes.wal).toBe(replayed.length * 16 * 1024 ** 2);
  });
});
