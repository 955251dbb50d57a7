import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseConfig } from "../../runner/config.ts";
import type { BackupRecord } from "../../runner/catalog/record.ts";
import type { StorageBackend } from "../../runner/storage/backend.ts";
import { openBackend, openBackends } from "../../runner/storage/open.ts";
import { TieredBackend } from "../../runner/storage/tiered.ts";
import { backUpRedis } from "../../runner/stores/redis/back-up.ts";
import { verifyRedis } from "../../runner/stores/redis/verify.ts";
import { testContext, type TestContext } from "../harness/context.ts";
import { startTestRedis, type TestRedis } from "../harness/redis.ts";
import { s3Installed, startTestS3 } from "../harness/s3.ts";
import { temporaryFolder } from "../harness/temporary.ts";

describe.skipIf(!s3Installed)("backups of a backend with a bucket for what is short-lived (needs versitygw)", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let redis: TestRedis;
  let servers: Awaited<ReturnType<typeof startTestS3>>;
  let short: StorageBackend;
  let run: TestContext;
  let now = new Date();

  beforeAll(async () => {
    folder = await temporaryFolder("placement");
    [redis, servers] = await Promise.all([startTestRedis({ folder: join(folder.path, "redis") }), startTestS3(join(folder.path, "s3"))]);
    short = await openBackend(servers.r2.backend);
    const link = await redis.connect();
    await link.send("SET", "session:1", "here");
    link.close();
    const wrap = (main: StorageBackend) => new TieredBackend(main, short, ["redis/", "agents/"]);
    run = await testContext({ folder: join(folder.path, "run"), clock: { now: () => now }, wrap, config: { redis: redis.address("backup"), backends: [servers.s3.backend] } });
  });
  afterAll(async () => {
    run.close();
    await Promise.all([redis.kill(), servers.kill()]);
    await folder.remove();
  });

  async function snapshotAt(time: string): Promise<{ readonly record: BackupRecord; readonly uri: string; readonly keptHours: number }> {
    now = new Date(`2026-11-22T${time}:00Z`);
    const result = await backUpRedis(run);
    if (!result.done) throw new Error(result.why);
    const { record } = result;
    const [copy] = record.copies;
    return { record, uri: copy?.status === "ok" ? copy.uri : "", keptHours: (new Date(record.expiresAt ?? 0).getTime() - new Date(record.startedAt).getTime()) / 3_600_000 };
  }

  it("lie where their retention puts them, say so in their records, and are found in either bucket", async () => {
    const first = await snapshotAt("10:07");
    const second = await snapshotAt("10:12");
    const third = await snapshotAt("11:02");
    const { bucket: long } = servers.s3.backend as { readonly bucket: string };
    const { bucket } = servers.r2.backend as { readonly bucket: string };
    expect([first.keptHours, second.keptHours, third.keptHours]).toEqual([90 * 24, 24, 7 * 24]);
    expect([first, second, third].map(({ uri }) => uri.split("/redis/")[0])).toEqual([`s3://${long}`, `s3://${bucket}`, `s3://${long}`]);
    const inShort: string[] = [];
    for await (const { key } of short.list("")) inShort.push(key);
    expect(inShort).toEqual(second.record.objects.map(({ key }) => key));
    expect((await run.catalog.list()).records.map(({ id }) => id)).toEqual([first, second, third].map(({ record }) => record.id));
    for (const { record } of [first, second]) expect(await verifyRedis(run, record), record.id).toMatchObject({ copies: [{ backend: "s3", errors: [] }] });
  });

  it("are opened from the configuration of a job", async () => {
    const config = parseConfig({ workDirectory: "/tmp", passphraseFile: "/tmp/none", backends: [{ ...servers.s3.backend, shortLived: { bucket: "backups-short", prefixes: ["redis/"] } }] }, "test");
    const [backend] = await openBackends(config);
    expect([backend?.uri("redis/1"), backend?.shortLived?.uri("redis/1"), backend?.shortLived?.uri("catalog/1")]).toEqual(["s3://backups-s3/redis/1", "s3://backups-short/redis/1", "s3://backups-s3/catalog/1"]);
    backend?.close();
  });
});
