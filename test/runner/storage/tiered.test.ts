import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { StorageBackend } from "../../../runner/storage/backend.ts";
import { StorageError } from "../../../runner/storage/faults.ts";
import { FolderBackend } from "../../../runner/storage/folder.ts";
import { TieredBackend } from "../../../runner/storage/tiered.ts";
import { makeFolder } from "../../../runner/system/files.ts";
import { temporaryFolder } from "../../harness/temporary.ts";

const folder = await temporaryFolder("tiered");
afterAll(() => folder.remove());

let runs = 0;
let main: FolderBackend;
let short: FolderBackend;
let both: TieredBackend;
beforeEach(async () => {
  runs += 1;
  main = new FolderBackend({ kind: "folder", name: "s3", path: await makeFolder(join(folder.path, `main-${runs}`)) });
  short = new FolderBackend({ kind: "folder", name: "s3", path: await makeFolder(join(folder.path, `short-${runs}`)) });
  both = new TieredBackend(main, short, ["redis/", "agents/"]);
});

const put = (to: StorageBackend, key: string, value = key) => to.put(key, Buffer.from(value));
const keys = async (of: StorageBackend, prefix = "", after?: string): Promise<readonly string[]> => {
  const found: string[] = [];
  for await (const { key } of of.list(prefix, after)) found.push(key);
  return found;
};
/** A bucket that does not answer. */
const down = (of: StorageBackend): StorageBackend => ({ ...of, name: of.name, kind: of.kind, requests: 0, uri: (key) => of.uri(key), read: () => Promise.reject(new StorageError("refused", "the store refuses connections", "short")), head: () => Promise.reject(new StorageError("refused", "the store refuses connections", "short")), put: (...args) => of.put(...args), get: (...args) => of.get(...args), list: (...args) => of.list(...args), remove: (of_) => of.remove(of_), available: () => of.available(), check: () => of.check(), close: () => undefined });

describe("a backend of two buckets", () => {
  it("writes to the main one, and to the other what is asked to lie there, and says where", async () => {
    await put(both, "redis/1/dump");
    await put(both.shortLived, "redis/2/dump");
    expect([await keys(main), await keys(short)]).toEqual([["redis/1/dump"], ["redis/2/dump"]]);
    expect([both.uri("redis/1/dump"), both.shortLived.uri("redis/2/dump")]).toEqual([main.uri("redis/1/dump"), short.uri("redis/2/dump")]);
  });

  it("writes nothing of other prefixes to the other bucket, whoever asks", async () => {
    await put(both.shortLived, "catalog/redis/1.json");
    expect([await keys(main), await keys(short)]).toEqual([["catalog/redis/1.json"], []]);
    expect(both.shortLived.uri("catalog/redis/1.json")).toBe(main.uri("catalog/redis/1.json"));
  });

  it("finds an object in either", async () => {
    await put(main, "redis/1/dump", "one");
    await put(short, "redis/2/dump", "two");
    expect(await Promise.all(["redis/1/dump", "redis/2/dump"].map((key) => both.read(key).then(String)))).toEqual(["one", "two"]);
    expect(await text(await both.shortLived.get("redis/1/dump"))).toBe("one");
    expect(await both.head("redis/2/dump")).toMatchObject({ bytes: 3 });
    expect(await both.head("redis/3/dump")).toBeUndefined();
    await expect(both.read("redis/3/dump")).rejects.toMatchObject({ fault: "missing-object" });
  });

  it("does not call an object missing that may be in the bucket that does not answer", async () => {
    const half = new TieredBackend(main, down(short), ["redis/"]);
    await put(main, "redis/1/dump", "one");
    expect(String(await half.read("redis/1/dump"))).toBe("one");
    await expect(half.read("redis/2/dump")).rejects.toMatchObject({ fault: "refused" });
    await expect(half.head("redis/1/dump")).rejects.toMatchObject({ fault: "refused" });
  });

  it("lists both as one, in the order of the keys, and asks only one for what lies in one", async () => {
    for (const key of ["redis/1", "redis/4", "objects/9", "catalog/a"]) await put(main, key);
    for (const key of ["agents/7", "redis/2", "redis/3"]) await put(short, key);
    expect(await keys(both)).toEqual(["agents/7", "catalog/a", "objects/9", "redis/1", "redis/2", "redis/3", "redis/4"]);
    expect(await keys(both, "redis/", "redis/2")).toEqual(["redis/3", "redis/4"]);
    const before = short.requests;
    expect(await keys(both, "catalog/")).toEqual(["catalog/a"]);
    expect(short.requests).toBe(before);
  });

  it("removes each object where it is, and only there", async () => {
    await put(main, "redis/1");
    await put(short, "redis/2");
    await put(main, "catalog/a");
    await both.remove(["redis/1", "redis/2", "catalog/a"]);
    expect([await keys(main), await keys(short)]).toEqual([[], []]);
  });
});
