import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DrError } from "../../../../runner/errors.ts";
import { parseTarget, type TargetOptions } from "../../../../runner/recovery/target.ts";
import { backUpPostgres } from "../../../../runner/stores/postgres/back-up.ts";
import { planRecovery, forgetPlan, recoverPostgres, type RecoverOptions, type Recovery } from "../../../../runner/stores/postgres/recover.ts";
import { createRestorePoint } from "../../../../runner/stores/postgres/restore-point.ts";
import { startProtectedPostgres, type ProtectedPostgres } from "../../../harness/protected-postgres.ts";
import { s3Installed } from "../../../harness/s3.ts";

/** Each row of the table, as one text: recoveries are compared by content. */
const content = "SELECT string_agg(id || ':' || text, ',' ORDER BY id) AS content FROM t";

describe.skipIf(!s3Installed)("recovery of PostgreSQL from two stores (needs versitygw)", () => {
  let system: ProtectedPostgres;
  let beforeFirst: string;
  let full: string;
  /** What the table held at each of the targets. */
  const expected = new Map<string, string>();
  const targets = new Map<string, TargetOptions>();

  const value = async (sql: string): Promise<string> => {
    const { rows } = await system.client.query<{ value: string }>(`SELECT (${sql})::text AS value`);
    return rows[0]?.value ?? "";
  };
  const insert = (id: number) => system.client.query("INSERT INTO t VALUES ($1, md5($2))", [id, `row ${id}`]);
  const remember = async (kind: string, target: TargetOptions) => {
    targets.set(kind, target);
    expected.set(kind, (await system.client.query<{ content: string }>(content)).rows[0]?.content ?? "");
  };

  beforeAll(async () => {
    system = await startProtectedPostgres("recover");
    beforeFirst = await value("clock_timestamp()");
    await system.client.query("CREATE TABLE t (id int PRIMARY KEY, text text)");
    await insert(1);
    const made = await backUpPostgres(system.context, "full");
    full = made.outcome === "skipped" ? "" : made.record.id;
    await sleep(1_100); // pgBackRest's clock has whole seconds: a target must lie a second after the backup
    await insert(2);
    await remember("time", { time: await value("clock_timestamp()") });
    await insert(3);
    await remember("lsn", { lsn: await value("pg_current_wal_lsn()") });
    await insert(4);
    await system.client.query("BEGIN");
    await insert(5);
    const xid = await value("pg_current_xact_id()");
    await system.client.query("COMMIT");
    await remember("xid", { xid });
    await insert(6);
    await remember("name", { name: "before-seven" });
    await createRestorePoint(system.context, "before-seven");
    // A newer backup, past all of these targets: pgBackRest by itself would start from it.
    await backUpPostgres(system.context, "incremental");
    await insert(7);
    await remember("latest", {});
    await createRestorePoint(system.context, "end");
  });
  afterAll(() => system.close());

  const recover = async (place: string, options: Partial<RecoverOptions>): Promise<Recovery> => recoverPostgres(system.context, { backup: "latest", target: { kind: "latest" }, into: system.place(place), ...options });
  const contentOf = async ({ socketDirectory, port }: Recovery, sql = content): Promise<string> => {
    const client = new Client({ host: socketDirectory, port, user: "postgres", database: "postgres" });
    await client.connect();
    const { rows } = await client.query<{ content: string }>(sql);
    await client.end();
    return rows[0]?.content ?? "";
  };
  const failureOf = async (options: Partial<RecoverOptions>): Promise<DrError> => {
    const error: unknown = await recover(`x${Math.random()}`, options).then(() => undefined, (failed: unknown) => failed);
    if (error instanceof DrError) return error;
    throw new Error("a DrError was expected", { cause: error });
  };

  it.each(["time", "lsn", "xid", "name", "latest"])("reaches the target by %s exactly, writable, and archives nothing", async (kind) => {
    const target = parseTarget(targets.get(kind) ?? {}, new Date());
    const recovery = await recover(`into-${kind}`, { target, ...(kind === "latest" ? {} : { tier: "warm" }) });
    try {
      expect(await contentOf(recovery)).toBe(expected.get(kind));
      expect(recovery.recoveredTo.timeline).toBe(2);
      expect(await contentOf(recovery, "SELECT concat_ws(' ', current_setting('archive_mode'), current_setting('listen_addresses'), current_setting('restore_command'), pg_is_in_recovery()) AS content")).toBe("off   f");
      await contentOf(recovery, "INSERT INTO t VALUES (100, 'new') RETURNING text AS content");
      expect(recovery.plan.backup.type).toBe(kind === "latest" ? "incr" : "full");
    } finally {
      await system.drop(recovery);
    }
  });

  it("takes a backup by its id and gives it back as it was, paused where it is told to wait", async () => {
    const recovery = await recover("as-it-was", { backup: full, target: { kind: "immediate" }, promote: false });
    try {
      expect(await contentOf(recovery, "SELECT concat_ws(' ', count(*), pg_is_in_recovery()) AS content FROM t")).toBe("1 t");
      expect(recovery.promoted).toBe(false);
    } finally {
      await system.drop(recovery);
    }
  });

  it("plans first: backup, WAL, repository, time and loss, and touches nothing", async () => {
    const into = system.place("planned");
    const planned = await planRecovery(system.context, { backup: "latest", target: { kind: "latest" }, into, tier: "warm" });
    await forgetPlan(planned);
    expect(planned.destination.state).toBe("missing");
    expect(planned.candidates.map(({ plan }) => plan.repository)).toEqual(["r2", "s3"]);
    expect(planned.candidates[0]?.plan).toMatchObject({ target: "the latest", repository: "r2", timeline: 1, objective: { tier: "warm", rto: 1800 } });
  });

  it("refuses targets that cannot be reached, and says which can", async () => {
    const now = new Date();
    const first = await failureOf({ target: parseTarget({ time: beforeFirst }, now) });
    expect(first.message).toMatch(/No backup available before target time .*r2.*s3/s);
    const window = await failureOf({ target: parseTarget({ time: new Date(now.getTime() - 10).toISOString() }, now) });
    expect(window.message).toMatch(/outside recovery window: \S+ to \S+/);
    expect((await failureOf({ target: parseTarget({ lsn: "F/0" }, now) })).message).toMatch(/outside recovery window/);
    expect((await failureOf({ target: parseTarget({ name: "nobody" }, now) })).message).toMatch(/knows no restore point nobody/);
    expect((await failureOf({ backup: "20200101T000000000Z-postgres-full-0000" })).message).toMatch(/there is no backup 20200101/);
    expect((await failureOf({ backup: "20200101-000000F" })).message).toMatch(/there is no backup 20200101-000000F/);
    expect((await failureOf({ timeline: 7 })).message).toMatch(/there is no timeline 7/);
    expect((await failureOf({ backend: "r3" })).message).toMatch(/Name one of: r2, s3/);
  });

  it("says clearly that a transaction never came, and leaves nothing behind", async () => {
    const error = await failureOf({ backup: full, target: { kind: "xid", xid: 99_999n }, backend: "r2" });
    expect(error.message).toMatch(/recovery ended before configured recovery target was reached: .*its last commit was at/);
  });

  it("never fills production's directory, nor a running server's; foreign files only by force, and moves them aside", async () => {
    const dataDirectory = join(system.folder, "pg", "data");
    for (const around of [dataDirectory, join(dataDirectory, "base"), join(dataDirectory, "..")]) {
      expect(await failureOf({ into: around, force: true })).toMatchObject({ kind: "refused" });
    }
    const elsewhere = await system.other("elsewhere", { postgres: { ...system.postgres.config, dataDirectory: "/nonexistent/data" } });
    await expect(recoverPostgres(elsewhere, { backup: "latest", target: { kind: "latest" }, into: dataDirectory, force: true })).rejects.toThrow(/a PostgreSQL server runs in/);
    elsewhere.close();
    const into = system.place("foreign");
    await mkdir(into);
    await writeFile(join(into, "letters.txt"), "keep me");
    expect((await failureOf({ into })).message).toMatch(/holds files that are no database: letters.txt/);
    const recovery = await recover("foreign", { force: true });
    await system.drop(recovery);
    expect(recovery.movedAside).toMatch(/foreign\.before-/);
    expect((await failureOf({ into })).message).toMatch(/holds a PostgreSQL database/);
    const again = await recover("foreign", { force: true });
    expect(await contentOf(again)).toBe(expected.get("latest"));
    await system.drop(again);
  });
});
