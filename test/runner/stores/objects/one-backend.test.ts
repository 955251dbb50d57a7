import { describe, expect, it } from "vitest";
import { blackroad } from "../../../../plan/blackroad.ts";
import { lacksIn, type SavedPart } from "../../../../runner/recovery-point/record.ts";
import { statusOf } from "../../../../runner/status/status.ts";
import { objectsBackend } from "../../../../runner/stores/objects/source-and-target.ts";
import { part, point, restorePoint } from "../../recovery-point/points.ts";
import { copyFailed, copyOk, record } from "../../records.ts";

const time = "2026-11-22T20:30:00.000Z";
const inS3: Partial<SavedPart> & Pick<SavedPart, "places"> = { order: "after", needed: false, places: [{ backend: "s3", error: null }] };

describe("objects, which the plan has in the one backend that does not hold the originals", () => {
  it("are copied to S3", () => {
    expect(objectsBackend(blackroad)).toBe("s3");
  });

  it("are no gap of a recovery point in R2, and one in S3 where their copy failed", () => {
    const whole = point(time, { parts: [...point(time).parts, part("objects", time, inS3)], restorePoint: restorePoint(time) });
    expect([lacksIn(whole, "r2"), lacksIn(whole, "s3")]).toEqual([[], []]);
    const failed = { ...whole, parts: whole.parts.map((one) => (one.store === "objects" ? part("objects", time, { ...inS3, places: [{ backend: "s3", error: "full" }] }) : one)) };
    expect([lacksIn(failed, "r2"), lacksIn(failed, "s3")]).toEqual([[], ["objects: full"]]);
  });

  it("still leave what is needed a gap wherever it is not kept", () => {
    const whole = point(time, { parts: point(time).parts.map((one) => (one.store === "redis" ? part("redis", time, { places: inS3.places }) : one)) });
    expect(lacksIn(whole, "r2")).toEqual(["redis: is not kept here"]);
  });

  it("are not missing from R2 in the status, and are an alarm where S3 has none", () => {
    const seen = (copies: Parameters<typeof record>[3]) =>
      statusOf({ plan: blackroad, now: new Date(Date.parse(time) + 60_000), listing: { records: [record("objects", "sync", time, copies)], problems: [] }, backends: [{ name: "r2" }, { name: "s3" }], wal: [], stores: ["objects"] });
    expect(seen({ copies: [copyOk("s3")] })).toMatchObject({ ok: true, backups: [{ store: "objects", state: "ok", copies: [{ backend: "s3" }] }] });
    expect(seen({ copies: [copyFailed("s3")] }).alarms).toEqual(["objects sync: no backup in any backend"]);
  });
});
