import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { gib, mib } from "../../../plan/units.ts";
import { cut, mostParts, partLength } from "../../../runner/storage/parts.ts";

describe("the length of a part", () => {
  it("is S3's least for small objects and a fixed one for unknown sizes", () => {
    expect(partLength(1_000)).toBe(mib(5));
    expect(partLength(gib(8))).toBe(mib(5));
    expect(partLength(undefined)).toBe(mib(8));
  });

  it.each([gib(40), gib(100), gib(1_000), gib(5_000)])("keeps %i bytes and what encryption adds within 10,000 parts", (size) => {
    expect((size * 1.04) / partLength(size)).toBeLessThanOrEqual(mostParts);
  });
});

describe("cutting a stream", () => {
  it.each([[0, [0]], [9, [9]], [10, [10]], [11, [10, 1]], [20, [10, 10]], [35, [10, 10, 10, 5]]])("of %i bytes into tens", async (size, lengths) => {
    const data = randomBytes(size);
    const parts: Buffer[] = [];
    const last: boolean[] = [];
    for await (const part of cut(Readable.from(data.length === 0 ? [] : [data.subarray(0, 3), data.subarray(3)], { objectMode: false }), 10, 2, "test")) {
      parts.push(Buffer.from(part.data));
      last.push(part.last);
      part.release();
    }
    expect(parts.map((part) => part.length)).toEqual(lengths);
    expect(Buffer.concat(parts).equals(data)).toBe(true);
    expect(last).toEqual(lengths.map((_, index) => index === lengths.length - 1));
  });

  it("waits for a release before it holds more than it may", async () => {
    const cutter = cut(Readable.from([randomBytes(100)], { objectMode: false }), 10, 2, "test");
    const first = await cutter.next();
    await cutter.next();
    let third = false;
    const waiting = cutter.next().then(() => (third = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(third).toBe(false);
    first.value?.release();
    await waiting;
    expect(third).toBe(true);
  });

  it("says so where more comes than the parts hold", async () => {
    const consume = async () => {
      for await (const part of cut(Readable.from([randomBytes(mostParts + 1)], { objectMode: false }), 1, 2, "test")) part.release();
    };
    await expect(consume()).rejects.toThrow(/announce the size/);
  });
});
