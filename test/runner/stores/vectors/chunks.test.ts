import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { chunksOf, type ChunkSizes } from "../../../../runner/stores/vectors/chunks.ts";
import { sameHits } from "../../../../runner/stores/vectors/qdrant/sample.ts";
import { timeOf } from "../../../../runner/stores/vectors/qdrant/attempt.ts";

const sizes: ChunkSizes = { least: 2_048, usual: 8_192, most: 32_768 };
const bytes = (seed: string, length: number): Buffer => Buffer.concat(Array.from({ length: Math.ceil(length / 64) }, (_, part) => createHash("sha512").update(`${seed}${part}`).digest())).subarray(0, length);

async function cut(data: Buffer, piece: number): Promise<string[]> {
  const pieces = Array.from({ length: Math.ceil(data.length / piece) }, (_, place) => data.subarray(place * piece, (place + 1) * piece));
  const chunks: Buffer[] = [];
  for await (const chunk of chunksOf(Readable.from(pieces), sizes)) chunks.push(Buffer.from(chunk));
  expect(Buffer.concat(chunks).equals(data)).toBe(true);
  expect(chunks.every(({ length }) => length <= sizes.most)).toBe(true);
  expect(chunks.slice(0, -1).every(({ length }) => length >= sizes.least)).toBe(true);
  return chunks.map((chunk) => createHash("sha256").update(chunk).digest("hex"));
}

describe("a stream cut by its content", () => {
  it("is cut at the same places however it arrives", async () => {
    const data = bytes("a", 500_000);
    const whole = await cut(data, data.length);
    expect(await cut(data, 1_000)).toEqual(whole);
    expect(await cut(data, 7_919)).toEqual(whole);
    expect(whole.length).toBeGreaterThan(30);
  });

  it("keeps all but a few chunks where something was put into its middle or taken out", async () => {
    const data = bytes("b", 500_000);
    const before = new Set(await cut(data, 65_536));
    for (const changed of [Buffer.concat([data.subarray(0, 200_000), bytes("new", 100), data.subarray(200_000)]), Buffer.concat([data.subarray(0, 100_000), data.subarray(100_300)])]) {
      const after = await cut(changed, 65_536);
      expect(after.filter((chunk) => !before.has(chunk)).length).toBeLessThanOrEqual(4);
    }
  });

  it("is nothing where nothing comes", async () => {
    expect(await cut(Buffer.alloc(0), 1)).toEqual([]);
  });
});

describe("results of a search", () => {
  it("are the same where only the order of equal scores or the last digits differ", () => {
    expect(sameHits([[1, 0.9], [2, 0.8], [3, 0.8], [4, 0.5]], [[1, 0.900001], [3, 0.8], [2, 0.8], [9, 0.5]])).toBe(true);
  });
  it("are others where a score, a number of hits or a name that its score tells apart differs", () => {
    expect(sameHits([[1, 0.9], [2, 0.5]], [[1, 0.8], [2, 0.5]])).toBe(false);
    expect(sameHits([[1, 0.9], [2, 0.5]], [[1, 0.9]])).toBe(false);
    expect(sameHits([[1, 0.9], [2, 0.5]], [[7, 0.9], [2, 0.5]])).toBe(false);
  });
});

describe("the time of a snapshot", () => {
  it("is UTC although Qdrant does not say so", () => {
    expect(timeOf("2026-11-23T04:00:00")).toBe(Date.parse("2026-11-23T04:00:00Z"));
    expect([timeOf(null), timeOf("nonsense")]).toEqual([undefined, undefined]);
  });
});
