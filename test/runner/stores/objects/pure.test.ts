import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { compareKeys, folders, historyPlaceOf, isPlain, placeOf } from "../../../../runner/stores/objects/keys.ts";
import { timeOfRun } from "../../../../runner/stores/objects/index.ts";
import { Sample } from "../../../../runner/stores/objects/sample.ts";
import { forEachAtOnce, join, ordered, overlayAll } from "../../../../runner/stores/objects/streams.ts";

const bytesOrder = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
const stream = <T>(items: readonly T[]): AsyncIterable<T> => Readable.from(items) as AsyncIterable<T>;
async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe("names of objects", () => {
  it("are in the order of their UTF-8, as S3 lists them, and not in JavaScript's", () => {
    const names = ["a", "a b", "a!", "a-b", "a/b", "a0", "é", "z", "\uffee", "\u{1f600}", "\u{1f600}a", "\ue000", "‛", ""];
    const sorted = [...names].sort(compareKeys);
    expect(sorted).toEqual([...names].sort(bytesOrder));
    expect(sorted).not.toEqual([...names].sort());
  });

  it.each(["a//b", "/a", "a/", "./a", "a/../b", "..", "new\nline", "tab\t", "‛quote", "a/．", "x".repeat(1_020)])("that are no paths (%j) lie in the copy under a digest, and nowhere else", (key) => {
    expect(isPlain(key)).toBe(false);
    expect(placeOf(key)).toMatch(/^objects\/encoded\/[0-9a-f]{64}$/);
  });

  it.each(["a", "a b/é ü+%&.txt", "emoji 😀", ".hidden", "a..b/...", "C:\\x"])("that are paths (%j) lie there as they are", (key) => {
    expect(placeOf(key)).toBe(folders.data + key);
  });

  it("put an older content aside by the run that wrote it", () => {
    expect(historyPlaceOf("a/../b", "run")).toMatch(/^objects\/history\/run\/[0-9a-f]{64}$/);
    expect(timeOfRun("20261122T203000123Z-objects-sync-4f2a")).toEqual(new Date("2026-11-22T20:30:00.123Z"));
  });
});

describe("sorted streams", () => {
  const item = (key: string, from: string) => ({ key, from });

  it("are laid over each other, the last on top", async () => {
    const streams = [["a", "b", "d"], ["b", "c"], [], ["d"], ["a", "e"]].map((keys, i) => stream(keys.map((key) => item(key, String(i)))));
    expect((await collect(overlayAll(streams))).map(({ key, from }) => `${key}${from}`)).toEqual(["a4", "b1", "c1", "d3", "e4"]);
    expect(await collect(overlayAll([]))).toEqual([]);
  });

  it("are paired by their keys", async () => {
    const pairs = await collect(join(stream([item("a", "l"), item("c", "l")]), stream([item("b", "r"), item("c", "r")])));
    expect(pairs.map(([left, right]) => [left?.key, right?.key])).toEqual([["a", undefined], [undefined, "b"], ["c", "c"]]);
  });

  it("are refused where they are out of order: objects would look deleted that are not", async () => {
    await expect(collect(ordered(stream([item("b", ""), item("a", "")]), "s3://bucket"))).rejects.toThrow(/not in the order of the keys: "a" comes after "b" \(s3:\/\/bucket\)/);
    await expect(collect(ordered(stream([item("a", ""), item("a", "")]), "s3://bucket"))).rejects.toThrow(/not in the order/);
  });

  it("are worked off so many at a time, and the first failure ends it", async () => {
    let [now, most] = [0, 0];
    const seen: number[] = [];
    const work = async (n: number) => {
      now += 1;
      most = Math.max(most, now);
      await setImmediate();
      now -= 1;
      seen.push(n);
      if (n === 5) throw new RangeError("five");
    };
    await expect(forEachAtOnce(Array.from({ length: 100 }, (_, i) => i), 3, work)).rejects.toThrow("five");
    expect(most).toBe(3);
    expect(seen.length).toBeLessThan(12);
  });
});

describe("a sample", () => {
  const sampleOf = (seed: string, count: number): readonly number[] => {
    const sample = new Sample<number>(seed, 20);
    for (let i = 0; i < count; i++) sample.offer(`key-${i}`, i);
    return sample.items;
  };

  it("is the same for the same seed, and another for another", () => {
    expect(sampleOf("one", 10_000)).toEqual(sampleOf("one", 10_000));
    expect(sampleOf("one", 10_000)).not.toEqual(sampleOf("two", 10_000));
  });

  it("takes from everywhere, and everything where there is little", () => {
    const items = sampleOf("one", 10_000);
    expect(items).toHaveLength(20);
    expect(items.some((i) => i < 5_000)).toBe(true);
    expect(items.some((i) => i >= 5_000)).toBe(true);
    expect([...sampleOf("one", 7)].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });
});
