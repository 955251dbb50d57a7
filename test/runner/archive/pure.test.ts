import { createHash } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { glacierPart } from "../../../runner/archive/glacier-vault.ts";
import { costOf, retrievalTiers, termsOf } from "../../../runner/archive/retrieval.ts";
import { tar, tarBytes } from "../../../runner/archive/tar.ts";
import { combine, treeHash } from "../../../runner/archive/tree-hash.ts";
import { isoWeek } from "../../../runner/archive/week.ts";

const mebibyte = 1024 ** 2;
const sha256 = (...parts: Uint8Array[]): Buffer => createHash("sha256").update(Buffer.concat(parts)).digest();

describe("Glacier's tree hash", () => {
  it("is the SHA-256 of what fits one leaf", () => {
    expect(treeHash(Buffer.from("a")).toString("hex")).toBe(sha256(Buffer.from("a")).toString("hex"));
    expect(treeHash(Buffer.alloc(0)).toString("hex")).toBe(sha256(Buffer.alloc(0)).toString("hex"));
  });

  it("has the values that other implementations were published with", () => {
    expect(treeHash(Buffer.from("Hello World")).toString("hex")).toBe("a591a6d40bf420404a011733cfb7b190d62c65bf0bcda32b57b277d9ad9f146e");
    expect(treeHash(Buffer.alloc(2 * mebibyte, "a")).toString("hex")).toBe("560c2c9333c719cb00cfdffee3ba293db17f58743cdd1f7e4055373ae6300afa");
  });

  it("joins pairs level by level, and carries an odd one up, as the API reference draws it for 6.5 MB", () => {
    const data = Buffer.alloc(6.5 * mebibyte, "every leaf is another one, as 53 does not divide it");
    const [a, b, c, d, e, f, g] = Array.from({ length: 7 }, (_, index) => sha256(data.subarray(index * mebibyte, (index + 1) * mebibyte)));
    if (a === undefined || b === undefined || c === undefined || d === undefined || e === undefined || f === undefined || g === undefined) throw new TypeError("seven leaves");
    const expected = sha256(sha256(sha256(a, b), sha256(c, d)), sha256(sha256(e, f), g));
    expect(treeHash(data).toString("hex")).toBe(expected.toString("hex"));
  });

  it("of parts of a power of two makes that of the whole", () => {
    const data = Buffer.alloc(11 * mebibyte + 7, 3);
    const parts = [data.subarray(0, 4 * mebibyte), data.subarray(4 * mebibyte, 8 * mebibyte), data.subarray(8 * mebibyte)];
    expect(combine(parts.map(treeHash))).toEqual(treeHash(data));
  });
});

describe("an archive", () => {
  it("is cut into parts of a power of two of MiB, so that 10,000 of them hold it", () => {
    expect(glacierPart(1)).toBe(16 * mebibyte);
    expect(glacierPart(16 * mebibyte * 10_000 + 1)).toBe(32 * mebibyte);
    expect(() => glacierPart(4_097 * mebibyte * 10_000)).toThrow(/more than an archive of Glacier holds/);
  });

  it("is one of a week, as ISO 8601 counts them", () => {
    expect(isoWeek(new Date("2026-11-22T03:00:00Z"))).toBe("2026-W47");
    expect(isoWeek(new Date("2026-11-23T00:00:00Z"))).toBe("2026-W48");
    expect(isoWeek(new Date("2027-01-03T03:00:00Z"))).toBe("2026-W53");
    expect(isoWeek(new Date("2024-12-30T00:00:00Z"))).toBe("2025-W01");
  });

  it("comes back in the time and at the price of its tier, and in no tier that its class has not", () => {
    for (const tier of retrievalTiers) expect(termsOf("GLACIER", tier)).toBeDefined();
    expect(termsOf("DEEP_ARCHIVE", "expedited")).toBeUndefined();
    const [standard, bulk] = [termsOf("GLACIER", "standard"), termsOf("GLACIER", "bulk")];
    if (standard === undefined || bulk === undefined) throw new TypeError("both are offered");
    expect(costOf(standard, 100e9)).toBeCloseTo(1);
    expect([standard.from, bulk.to]).toEqual([3 * 3_600, 12 * 3_600]);
  });
});

describe("a tar file", () => {
  const entry = (path: string, text: string, said = text.length) => ({ path, bytes: said, open: () => Promise.resolve(Readable.from([Buffer.from(text)])) });

  it("is never longer than it was expected to be", async () => {
    const entries = [entry("a/b", "x"), entry(`${"long/".repeat(40)}name`, "y".repeat(513))];
    expect((await buffer(Readable.from(tar(entries)))).length).toBeLessThanOrEqual(tarBytes(entries));
  });

  it.each([[3], [5]])("is not made of a source that has not its %i bytes", async (said) => {
    await expect(buffer(Readable.from(tar([entry("a", "four", said)])))).rejects.toThrow(/it has/);
  });
});
