import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { S3Glacier } from "../../../runner/archive/s3-glacier.ts";
import { s3Installed } from "../../harness/s3.ts";
import { s3Config, Stores } from "../../harness/stores.ts";

/** versitygw keeps no storage classes: that an object is cold, a retrieval asked for and waited for is not shown here. */
describe.skipIf(!s3Installed)("an archive in S3 (needs versitygw)", () => {
  let stores: Stores;
  let depot: S3Glacier;
  beforeAll(async () => {
    stores = await Stores.open();
    const { endpoint, region, bucket, caFile, credentialsFile } = s3Config(await stores.s3("archive"));
    depot = await S3Glacier.open({ kind: "s3", name: "archive", endpoint, region, bucket, prefix: "cold", storageClass: "DEEP_ARCHIVE", ...(caFile === undefined ? {} : { caFile }), ...(credentialsFile === undefined ? {} : { credentialsFile }) });
  });
  afterAll(async () => {
    depot.close();
    await stores.close();
  });

  it.each([["one request", 1_000], ["parts", 12 * 1024 ** 2]])("is written by %s, seen, and read", async (_how, bytes) => {
    const data = randomBytes(bytes);
    const stored = await depot.store(`2026-W47-${bytes}`, Readable.from([data]), { expectedBytes: bytes, signal: new AbortController().signal });
    expect(stored).toMatchObject({ bytes, uri: `s3://bucket-archive/cold/archive/2026-W47-${bytes}.tar.pgp` });
    expect(await depot.look(stored.reference, bytes)).toMatchObject({ ok: true });
    expect(await depot.look(stored.reference, bytes + 1)).toMatchObject({ ok: false });
    const found = await depot.retrieve(stored.reference, "bulk");
    if (found.state !== "ready") throw new Error("nothing is cold here");
    expect((await buffer(found.body)).equals(data)).toBe(true);
    expect(await depot.abandon(new Date())).toEqual([]);
    const inventory = await depot.inventory();
    expect(inventory.archives.find(({ id }) => id === depot.idOf(stored.reference))).toMatchObject({ bytes, label: `2026-W47-${bytes}.tar.pgp` });
  });

  it("that is not there is named", async () => {
    await expect(depot.look({ key: "cold/archive/none" }, 1)).rejects.toThrow(/does not exist/);
    await expect(depot.retrieve({}, "bulk")).rejects.toThrow(/does not say which object/);
  });
});
