import { describe, expect, it } from "vitest";
import { checkEnd } from "../../../../runner/stores/postgres/restore.ts";

const segmentBytes = 16 * 1024 ** 2;
const newestSegment = { segment: "000000010000000000000005", path: "main/15-1/0000000100000000/000000010000000000000005", archivedAt: new Date("2026-11-22T22:00:00Z") };
const end = (lsn: string) => () => checkEnd(lsn, { newestSegment }, segmentBytes, "r2");

describe("a recovery of the latest", () => {
  it("ended where the archive does when it replayed anything of the newest segment", () => {
    expect(end("0/5000060")).not.toThrow();
    expect(end("0/6000000")).not.toThrow();
  });

  it.each([["right before the newest segment, which is damaged", "0/5000000"], ["in a segment before it", "0/4000128"]])("did not where it stopped %s", (_, lsn) => {
    expect(end(lsn)).toThrow(/before the archive's newest segment 000000010000000000000005 was replayed/);
  });

  it("has no end to hold it against where nothing was archived", () => {
    expect(() => checkEnd("0/1000000", { newestSegment: undefined }, segmentBytes, "r2")).not.toThrow();
  });
});
