import { chown, readdir } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backUpArchive } from "../../../runner/archive/back-up.ts";
import { recoverArchive } from "../../../runner/archive/recover.ts";
import { backUpPostgres } from "../../../runner/stores/postgres/back-up.ts";
import { recoverPostgres } from "../../../runner/stores/postgres/recover.ts";
import { writeDurably } from "../../../runner/system/files.ts";
import { run } from "../../../runner/system/process.ts";
import { databaseUser } from "../../../runner/system/user.ts";
import { startFakeGlacier, type FakeGlacier } from "../../harness/glacier-server.ts";
import { startProtectedPostgres, type ProtectedPostgres } from "../../harness/protected-postgres.ts";
import { s3Installed } from "../../harness/s3.ts";

describe.skipIf(!s3Installed)("PostgreSQL in the weekly archive (needs versitygw)", () => {
  let system: ProtectedPostgres;
  let glacier: FakeGlacier;
  beforeAll(async () => {
    [system, glacier] = await Promise.all([startProtectedPostgres("archived"), startFakeGlacier()]);
  });
  afterAll(async () => {
    await system.close();
    await glacier.close();
  });

  it("is a repository by itself: pgBackRest restores from the unpacked archive, and from nothing else", async () => {
    await system.client.query("CREATE TABLE t AS SELECT id, md5(id::text) AS text FROM generate_series(1, 1000) AS id");
    await backUpPostgres(system.context, "full");
    await system.client.query("CREATE TABLE after_the_backup (id int)");
    const credentialsFile = join(system.folder, "credentials");
    await writeDurably(credentialsFile, "[default]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = secret\n", { mode: 0o600 });
    const config = { ...system.context.config, archive: { kind: "glacier-vault", name: "archive", region: "eu-west-1", vault: "v", accountId: "-", endpoint: glacier.url, credentialsFile } as const };
    const writer = { ...system.context, config };
    expect(await backUpArchive(writer)).toMatchObject({ done: true, record: { details: { backups: [{ store: "postgres", from: "r2" }] } } });

    const into = join(system.folder, "unpacked");
    const options = { backup: "latest", into, tier: "bulk" } as const;
    expect(await recoverArchive(writer, options)).toMatchObject({ state: "waiting", expected: { to: 12 * 3_600 } });
    for (const job of glacier.jobs.values()) job.done = true;
    expect(await recoverArchive(writer, options)).toMatchObject({ state: "restored" });
    expect((await readdir(into)).sort()).toEqual(["catalog", "pgbackrest"]);
    const owner = databaseUser();
    if (owner !== undefined) {
      await run("chown", ["-R", `${owner.uid}:${owner.gid}`, into], { deadline: 60 });
      await chown(into, owner.uid, owner.gid);
    }

    const [r2] = system.backends;
    if (r2?.pgbackrest === undefined) throw new Error("it is a repository");
    const restorer = await system.other("from-archive", { backends: [{ kind: "folder", name: "r2", path: into, pgbackrest: r2.pgbackrest }], readOnly: true });
    const recovery = await recoverPostgres(restorer, { backup: "latest", target: { kind: "immediate" }, into: system.place("restored") });
    try {
      const client = new Client({ host: recovery.socketDirectory, port: recovery.port, user: "postgres", database: "postgres" });
      await client.connect();
      const { rows } = await client.query<{ count: string; after: string | null }>("SELECT count(*) AS count, to_regclass('after_the_backup')::text AS after FROM t");
      expect(rows).toEqual([{ count: "1000", after: null }]);
      await client.end();
    } finally {
      await system.drop(recovery);
    }
  });
});
