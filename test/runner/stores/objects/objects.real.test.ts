import { readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { makeAuthority } from "../../../../drill/environments/certificates.ts";
import type { S3Server } from "../../../../drill/environments/servers/s3.ts";
import { outcomeOf } from "../../../../runner/catalog/record.ts";
import { DrError } from "../../../../runner/errors.ts";
import { backUpObjects } from "../../../../runner/stores/objects/back-up.ts";
import { folders, placeOf } from "../../../../runner/stores/objects/keys.ts";
import { recoverObjects } from "../../../../runner/stores/objects/recover.ts";
import { verifyObjects } from "../../../../runner/stores/objects/verify.ts";
import { objectsWatermark } from "../../../../runner/stores/objects/watermark.ts";
import { observeCommands } from "../../../../runner/system/process.ts";
import { lookUpProgram } from "../../../../runner/system/programs.ts";
import { s3Installed } from "../../../harness/s3.ts";
import { Stores } from "../../../harness/stores.ts";
import { makePair, textOf, type Pair } from "./fixture.ts";

const possible = s3Installed && (await lookUpProgram("rclone")) !== undefined;
let stores: Stores;
let r2: S3Server;
let versioned: S3Server;
let plain: S3Server;
const pairs: Pair[] = [];

beforeAll(async () => {
  stores = await Stores.open();
  [r2, versioned, plain] = await Promise.all([stores.s3("r2"), stores.s3("versioned", { versioned: true }), stores.s3("plain")]);
});
afterEach(() => pairs.splice(0).forEach((pair) => pair.close()));
afterAll(() => stores.close());

const pairOf = async (target: S3Server): Promise<Pair> => {
  const pair = await makePair(stores, r2, target);
  pairs.push(pair);
  return pair;
};
const fails = async (work: () => Promise<unknown>): Promise<DrError> => {
  const error = await work().then(() => undefined, (cause: unknown) => cause);
  if (error instanceof DrError) return error;
  throw new TypeError(`a DrError was expected: ${String(error)}`);
};

describe.skipIf(!possible).each(["versioned", "without versions"] as const)("objects copied into a bucket that is %s (needs versitygw and rclone)", (kind) => {
  const pair = () => pairOf(kind === "versioned" ? versioned : plain);

  it("copies what is new or changed, keeps what is deleted, and says how far it reaches", async () => {
    const { put, remove, run, target } = await pair();
    await put({ "a/one": "1", "a/two": "2", empty: "", "with space/é ü+%&.txt": "unicode", "emoji 😀": "astral" });
    const context = await run();
    const before = Date.now();
    const first = await backUpObjects(context);
    expect(first.outcome).toBe("ok");
    expect(first.record.details).toMatchObject({ objects: 5, copied: 5, added: 5, changed: 0, deleted: 0 });
    expect(Date.parse(first.record.watermark.time)).toBeGreaterThanOrEqual(before);
    expect(await textOf(target, `${folders.data}with space/é ü+%&.txt`)).toBe("unicode");

    const idle = await backUpObjects(context);
    expect(idle.record.details).toMatchObject({ objects: 5, copied: 0, changed: 0, deleted: 0 });
    expect(idle.record.details["index"]).toEqual([]);

    await put({ "a/two": "zwei", "a/new": "n" });
    await remove("a/one");
    const second = await backUpObjects(context);
    expect(second.record.details).toMatchObject({ objects: 5, copied: 2, added: 1, changed: 1, deleted: 1, preserved: kind === "versioned" ? 0 : 1 });
    expect(await textOf(target, `${folders.data}a/two`)).toBe("zwei");
    expect(await textOf(target, `${folders.data}a/one`)).toBe("1");
    expect(await objectsWatermark(context)).toMatchObject({ backup: second.record.id, time: second.record.startedAt });
    expect((await verifyObjects(context, second.record)).copies).toMatchObject([{ backend: "s3", ok: true, errors: [] }]);
    expect((await verifyObjects(context, first.record)).ok).toBe(true);
    context.close();
  });

  it("brings back the state of a time: what was overwritten, what was deleted, and nothing newer without force", async () => {
    const { put, remove, run, contents } = await pair();
    await put({ kept: "k", overwritten: "old", deleted: "d", "sub/x": "x" });
    const context = await run();
    const { record } = await backUpObjects(context);
    await new Promise((resolve) => setTimeout(resolve, 1_100)); // the server's clock has seconds
    await put({ overwritten: "new", later: "l" });
    await remove("deleted", "sub/x");
    await backUpObjects(context);
    await put({ overwritten: "newest" });
    await backUpObjects(context);

    const dry = await recoverObjects(context, { backup: { at: new Date(record.startedAt) }, dryRun: true });
    expect(dry).toMatchObject({ backup: record.id, restored: { objects: 2, bytes: 2 }, unchanged: 1, newer: { objects: 1, some: ["overwritten"] }, since: 1 });
    expect(await contents()).toEqual({ kept: "k", overwritten: "newest", later: "l" });

    const part = await recoverObjects(context, { backup: record.id, only: "sub/" });
    expect(part.restored.objects).toBe(1);
    const gentle = await recoverObjects(context, { backup: record.id });
    expect(gentle).toMatchObject({ restored: { objects: 1 }, newer: { objects: 1 }, failed: { objects: 0 } });
    expect(await contents()).toEqual({ kept: "k", overwritten: "newest", deleted: "d", "sub/x": "x", later: "l" });
    const forced = await recoverObjects(context, { backup: record.id, force: true });
    expect(forced).toMatchObject({ restored: { objects: 1 }, failed: { objects: 0 } });
    expect(await contents()).toEqual({ kept: "k", overwritten: "old", deleted: "d", "sub/x": "x", later: "l" });
    expect((await fails(() => recoverObjects(context, { backup: { at: new Date(0) } }))).what).toBe("No backup available before target time");
    context.close();
  });
});

describe.skipIf(!possible)("copying objects (needs versitygw and rclone)", () => {
  it("carries names that are no paths: lines, controls and escapes", async () => {
    const { put, run, contents, remove } = await pairOf(versioned);
    const objects = { "new\nline": "n", "tab\there": "t", "‛quote": "q", "．．/x": "dots" };
    await put(objects);
    const context = await run();
    expect((await backUpObjects(context)).record.details).toMatchObject({ copied: 4, failed: 0 });
    expect((await backUpObjects(context, { full: true })).record.details).toMatchObject({ copied: 0 });
    await remove(...Object.keys(objects));
    expect(await recoverObjects(context, { backup: "latest" })).toMatchObject({ restored: { objects: 4 } });
    expect(await contents()).toEqual(objects);
    context.close();
  });

  it("keeps the type and the owner's notes of an object, both ways", async () => {
    const { source, target, run } = await pairOf(versioned);
    await source.put("noted", Buffer.from("x"), { contentType: "text/x-note", metadata: { origin: "agent 7" } });
    const context = await run();
    await backUpObjects(context);
    const there = await target.get(placeOf("noted"));
    there.body.destroy();
    expect(there).toMatchObject({ contentType: "text/x-note", metadata: { origin: "agent 7" } });
    await source.remove(["noted"]);
    await recoverObjects(context, { backup: "latest" });
    const back = await source.get("noted");
    back.body.destroy();
    expect(back).toMatchObject({ contentType: "text/x-note", metadata: { origin: "agent 7" } });
    context.close();
  });

  it("leaves no credentials: not in arguments, not in files, nor with a killed run's lock", async () => {
    const { put, run } = await pairOf(versioned);
    await put({ a: "1" });
    const context = await run();
    const root = join(context.config.workDirectory, "objects");
    const commands: string[] = [];
    const stop = observeCommands(({ args }) => void commands.push(args.join(" ")));
    await backUpObjects(context);
    stop();
    const { accessKeyId, secretAccessKey } = await (await pairOf(versioned)).target.credentials();
    expect(commands.some((command) => command.includes("--files-from-raw"))).toBe(true);
    expect(commands.filter((command) => command.includes(secretAccessKey) || command.includes(accessKeyId))).toEqual([]);
    await writeFile(join(root, "lock"), "999999 12345"); // a process that is no more
    await backUpObjects(context);
    expect(await readdir(root)).toEqual([]);
    expect((await stat(root)).mode & 0o077).toBe(0);
    context.close();
  });

  it("lets the second of two at once wait, and copies nothing twice", async () => {
    const { put, run } = await pairOf(versioned);
    await put(Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`o${i}`, String(i)])));
    const context = await run();
    const both = await Promise.all([backUpObjects(context), backUpObjects(context)]);
    expect(both.map(({ record }) => record.details["copied"]).sort()).toEqual([0, 20]);
    context.close();
  });

  it("copies again what somebody removed from the copy, once it looks", async () => {
    const { put, run, target } = await pairOf(versioned);
    await put({ a: "1", b: "2" });
    const context = await run();
    const { record } = await backUpObjects(context);
    await target.remove([placeOf("a")]);
    const found = await verifyObjects(context, record);
    expect(found.copies[0]?.errors).toEqual(['"a" is missing from the copy, or of another size']);
    expect((await backUpObjects(context, { full: true })).record.details).toMatchObject({ copied: 1, repaired: 1 });
    expect((await verifyObjects(context, (await backUpObjects(context)).record)).ok).toBe(true);
    context.close();
  });

  it("names a copy whose content is another one of the same length, and verifies without the source too", async () => {
    const { put, run, target, config } = await pairOf(plain);
    await put({ a: "1", b: "2" });
    const context = await run();
    const { record } = await backUpObjects(context);
    await target.put(placeOf("b"), Buffer.from("3"));
    expect((await verifyObjects(context, record)).copies[0]?.errors).toEqual(['"b" in s3: differs from the source at byte 0']);
    const alone = await run({ config: { backends: config.backends ?? [], objects: undefined } });
    const found = await verifyObjects(alone, record);
    expect(found.copies[0]?.errors[0]).toMatch(/"b" in s3: its MD5 is .* and the source's was/);
    expect(found.copies[0]?.checks[0]).toMatchObject({ name: "the source is not looked at" });
    context.close();
    alone.close();
  });

  it("refuses to bring back content that is not what the index says", async () => {
    const { put, run, target, remove, contents } = await pairOf(plain);
    await put({ a: "1", b: "2" });
    const context = await run();
    await backUpObjects(context);
    await target.put(placeOf("b"), Buffer.from("3"));
    await remove("a", "b");
    const result = await recoverObjects(context, { backup: "latest" });
    expect(result).toMatchObject({ restored: { objects: 1 }, failed: { objects: 1, some: [{ key: "b" }] } });
    expect(await contents()).toEqual({ a: "1" });
    context.close();
  });

  it("goes on with an older base of the index where the newest is damaged", async () => {
    const { put, run, target } = await pairOf(versioned);
    await put({ a: "1" });
    const context = await run();
    await backUpObjects(context);
    await put({ b: "2" });
    const { record } = await backUpObjects(context, { full: true });
    await target.put(`${folders.base}${record.id}.jsonl.gz`, Buffer.from("no base"));
    const next = await backUpObjects(context);
    expect(next.record.details).toMatchObject({ copied: 0, objects: 2 });
    expect(next.record.details["indexProblems"]).toHaveLength(1);
    context.close();
  });

  it("tells apart what can be wrong, and leaves a record of each", async () => {
    const { put, run, config } = await pairOf(plain);
    await put({ a: "1" });
    const objects = config.objects ?? expect.unreachable();
    const other = (await makeAuthority(join(stores.folder, "other-ca"))).certificate;
    const [s3] = config.backends ?? [];
    if (s3?.kind !== "s3") throw new TypeError("the copy is a bucket");
    const cases: readonly (readonly [Pair["config"], RegExp])[] = [
      [{ objects: { ...objects, endpoint: "localhost:1" } }, /refuses connections/],
      [{ objects: { ...objects, caFile: other } }, /signed by/],
      [{ objects: { ...objects, credentialsFile: versioned.writerCredentialsFile } }, /does not know the access key|denies/],
      [{ objects: { ...objects, bucket: "nobody" } }, /does not exist|denies/],
      [{ backends: [{ ...s3, credentialsFile: plain.readerCredentialsFile }] }, /denies access/],
    ];
    for (const [changed, message] of cases) {
      const context = await run({ config: { ...config, ...changed } });
      expect((await fails(() => backUpObjects(context))).message).toMatch(message);
      context.close();
    }
    const context = await run();
    const { records } = await context.catalog.list({ store: "objects" });
    expect(records.map((record) => [record.kind, outcomeOf(record), record.copies.length])).toEqual(Array(4).fill(["sync", "failed", 1]));
    context.close();
  });
});
