import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { S3Server } from "../../../../drill/environments/servers/s3.ts";
import { outcomeOf } from "../../../../runner/catalog/record.ts";
import { backUpObjects } from "../../../../runner/stores/objects/back-up.ts";
import { copyBatch } from "../../../../runner/stores/objects/batch.ts";
import type { Found, ObjectBucket } from "../../../../runner/stores/objects/bucket.ts";
import { openIndex } from "../../../../runner/stores/objects/index.ts";
import { placeOf } from "../../../../runner/stores/objects/keys.ts";
import type { SyncCounts, SyncOptions } from "../../../../runner/stores/objects/sync.ts";
import { makeFolder } from "../../../../runner/system/files.ts";
import { lookUpProgram } from "../../../../runner/system/programs.ts";
import { s3Installed } from "../../../harness/s3.ts";
import { Stores } from "../../../harness/stores.ts";
import { makePair, textOf, type Pair } from "./fixture.ts";

const possible = s3Installed && (await lookUpProgram("rclone")) !== undefined;
let stores: Stores;
let r2: S3Server;
let s3: S3Server;
let pair: Pair;

beforeAll(async () => {
  stores = await Stores.open();
  [r2, s3] = await Promise.all([stores.s3("r2"), stores.s3("s3", { versioned: true })]);
});
afterEach(() => pair.close());
afterAll(() => stores.close());

const listed = async (bucket: ObjectBucket): Promise<Found[]> => {
  const found: Found[] = [];
  for await (const object of bucket.list("")) found.push(object);
  return found;
};

describe.skipIf(!possible)("a copying of objects that is disturbed (needs versitygw and rclone)", () => {
  it("by the end of its time says what is left, and is no good copy; the next goes on", async () => {
    pair = await makePair(stores, r2, s3);
    await pair.put({ a: "1", b: "2" });
    const context = await pair.run();
    await expect(backUpObjects(context, { within: 0.01 })).rejects.toMatchObject({ kind: "partial", what: expect.stringMatching(/time was up with 2 objects left to copy/) as string });
    const { records } = await context.catalog.list({ store: "objects" });
    expect(records.map(outcomeOf)).toEqual(["failed"]);
    expect((await backUpObjects(context)).record.details).toMatchObject({ copied: 2, left: 0 });
    context.close();
  });

  it("by writers writes down what it has really copied, and counts what is gone by then", async () => {
    pair = await makePair(stores, r2, s3);
    const { source, target } = pair;
    await pair.put({ same: "1", "same size": "old", longer: "x", gone: "g" });
    const before = await listed(source);
    await pair.put({ "same size": "new", longer: "xyz" });
    await pair.remove("gone");
    const folder = await makeFolder(join(pair.folder, "batch"));
    const { signal } = new AbortController();
    const counts: SyncCounts = { objects: 0, bytes: 0, copied: 0, copiedBytes: 0, added: 0, changed: 0, repaired: 0, deleted: 0, preserved: 0, vanished: 0, failed: 0, left: 0 };
    const end = performance.now() + 60_000;
    const options: SyncOptions = { run: "20260101T000000000Z-objects-sync-0000", at: new Date().toISOString(), source, target, state: await openIndex(target, { folder, signal }), compareTarget: false, folder, stopBegin: end, stopAll: end, signal, report: () => undefined };
    const entries = await copyBatch(options, before.map((object) => ({ kind: "copy", object, before: undefined })), counts, []);
    const now = new Map((await listed(source)).map(({ key, etag, bytes }) => [key, [etag, bytes]]));
    expect(entries.map(({ key }) => key)).toEqual(["longer", "same", "same size"]);
    for (const { key, etag, bytes } of entries) expect([etag, bytes], key).toEqual(now.get(key));
    expect(counts).toMatchObject({ copied: 3, vanished: 1, failed: 0 });
    expect(await textOf(target, placeOf("same size"))).toBe("new");
  });
});
