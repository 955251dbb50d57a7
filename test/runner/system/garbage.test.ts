import { describe, expect, it } from "vitest";
import { GarbageLimit } from "../../../runner/system/garbage.ts";

const mebibyte = 1024 ** 2;
const inUse = (): number => {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

describe("garbage", () => {
  it("is collected before it weighs much more than what lives", () => {
    const garbage = new GarbageLimit();
    const before = inUse();
    let most = 0;
    for (let n = 0; n < 30; n += 1) {
      Buffer.alloc(16 * mebibyte, n); // nobody holds it
      garbage.check();
      most = Math.max(most, inUse() - before);
    }
    expect(most).toBeLessThan(192 * mebibyte);
  });

  it("is no more where what lives grows: it is not collected again and again", () => {
    const garbage = new GarbageLimit();
    const held: Buffer[] = [];
    for (let n = 0; n < 12; n += 1) {
      held.push(Buffer.alloc(16 * mebibyte, n));
      garbage.check();
    }
    expect(held.map((buffer) => buffer[0])).toEqual(Array.from({ length: 12 }, (_, n) => n));
  });
});
