import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { BackupRecord } from "../../runner/catalog/record.ts";
import { readStatus } from "../../runner/status/read.ts";
import { backUpRedis } from "../../runner/stores/redis/back-up.ts";
import { ratesFromRecords } from "../../runner/verification-rates.ts";
import { verifyAll, verifyOne } from "../../runner/verify.ts";
import { testContext, type TestContext, type TestContextOptions } from "../harness/context.ts";
import { startTestRedis, type TestRedis } from "../harness/redis.ts";
import { temporaryFolder } from "../harness/temporary.ts";

const folder = await temporaryFolder("verify");
let redis: TestRedis;
let context: TestContext;
let runs = 0;

beforeAll(async () => {
  redis = await startTestRedis({ folder: join(folder.path, "redis") });
  const link = await redis.connect();
  const sessions = Array.from({ length: 2_000 }, (_, index) => [`session:${index}`, randomBytes(600).toString("base64")]).flat();
  await link.send("MSET", ...sessions);
  link.close();
});
afterAll(async () => {
  await redis.kill();
  await folder.remove();
});
beforeEach(async () => void (context = await open({ folder: join(folder.path, `run-${(runs += 1)}`) })));
afterEach(() => context.close());

const open = (options: TestContextOptions) => testContext({ ...options, config: { redis: redis.address("backup"), ...options.config } });

async function backUp(): Promise<BackupRecord> {
  const result = await backUpRedis(context);
  if (!result.done) throw new Error(result.why);
  return result.record;
}

async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(path, bytes);
}

const stored = (backend: string, key: string) => join(folder.path, `run-${runs}`, backend, key);

describe("verifying what the catalog holds", () => {
  it("restores and queries each copy, and records it where status and predictions find it", async () => {
    const backup = await backUp();
    const { ok, verified } = await verifyOne(context, backup.id);
    expect(verified.flatMap(({ copies }) => copies.flatMap(({ errors, checks }) => [...errors, ...checks.filter((check) => !check.ok)]))).toEqual([]);
    expect(ok).toBe(true);
    expect(verified[0]?.copies.map(({ backend, ok: good }) => [backend, good])).toEqual([["r2", true], ["s3", true]]);
    const { records } = await context.catalog.list({ kind: "verification" });
    expect(records.map(({ id }) => id)).toEqual([verified[0]?.recordedAs]);
    const status = await readStatus(context);
    expect(status.verifications).toMatchObject([{ store: "redis", backup: backup.id, ok: true, overdue: false }]);
    expect(status.alarms).toEqual([]);
    const rates = ratesFromRecords(records, context.plan.rates);
    expect(rates.redisLoad).not.toBe(context.plan.rates.redisLoad);
    expect(rates.source).toContain(verified[0]?.recordedAs);
    expect((await context.catalog.find("latest", { store: "redis" })).id).toBe(backup.id);
  });

  it("names the object of the one copy in which a byte was flipped, records it, and raises an alarm", async () => {
    const backup = await backUp();
    const key = backup.objects[0]?.key ?? "";
    await flip(stored("s3", key), 1_000);
    const { ok, verified } = await verifyOne(context, "latest");
    expect(ok).toBe(false);
    expect(verified[0]?.copies.map(({ backend, ok: good }) => [backend, good])).toEqual([["r2", true], ["s3", false]]);
    expect(verified[0]?.copies[1]?.errors.join()).toContain(key);
    expect((await readStatus(context)).alarms).toEqual([`redis: the newest verification failed (${backup.id})`]);
  });

  it("fails over a flipped byte in one backend's record, and names the record", async () => {
    const backup = await backUp();
    const key = `catalog/redis/${backup.id}.json`;
    await flip(stored("r2", key), 200);
    const { ok, verified } = await verifyOne(context, backup.id);
    expect(ok).toBe(false);
    expect(verified[0]?.copies[0]?.errors.join()).toContain(key);
  });

  it("passes with --all over every recent backup, and fails where a record is damaged in every backend", async () => {
    await backUp();
    const second = await backUp();
    const first = await verifyAll(context, new Date(0));
    expect([first.ok, first.verified.length]).toEqual([true, 2]);
    for (const backend of ["r2", "s3"]) await flip(stored(backend, `catalog/redis/${second.id}.json`), 100);
    const again = await verifyAll(context, new Date(0));
    expect([again.ok, again.verified.length]).toEqual([false, 1]);
    expect(again.problems.map(({ backend, key }) => `${backend} ${key ?? ""}`).sort()).toEqual(["r2", "s3"].map((backend) => `${backend} catalog/redis/${second.id}.json`));
  });

  it("fails where a backup lacks a copy, and where there is nothing to verify", async () => {
    expect((await verifyAll(context, new Date(0))).ok).toBe(false);
    const backup = await backUp();
    context.close();
    context = await open({ folder: join(folder.path, `run-${runs}`), wrap: (backend) => backend });
    const [object] = backup.objects;
    await context.backends[1]?.remove([object?.key ?? ""]);
    const { ok, verified } = await verifyOne(context, backup.id);
    expect(ok).toBe(false);
    expect(verified[0]?.copies[1]?.errors.join()).toContain("does not exist");
  });

  it("verifies with read-only credentials too, and says that the result was not recorded", async () => {
    const backup = await backUp();
    const reader = await open({ folder: join(folder.path, `run-${runs}`), config: { readOnly: true } });
    const { ok, verified } = await verifyOne(reader, backup.id);
    reader.close();
    expect([ok, verified[0]?.recordedAs, verified[0]?.notRecorded]).toEqual([true, undefined, "this run may only read"]);
    expect((await context.catalog.list({ kind: "verification" })).records).toEqual([]);
  });

  it("refuses to verify a verification, and names the nearest ids of one that is unknown", async () => {
    const backup = await backUp();
    const { verified } = await verifyOne(context, backup.id);
    await expect(verifyOne(context, verified[0]?.recordedAs ?? "")).rejects.toMatchObject({ kind: "usage" });
    await expect(verifyOne(context, `${backup.id}x`)).rejects.toThrow(backup.id);
  });
});
