import { describe, expect, it } from "vitest";
import { consistencyOf } from "../../../runner/recovery-point/consistency.ts";
import { part, point, restorePoint, withPart } from "./points.ts";

const time = "2026-11-22T02:10:00.000Z";
const earlier = "2026-11-22T02:09:30.000Z";
const later = "2026-11-22T02:10:00.500Z";
const whole = point(time);

const redisIn = (changed: ReturnType<typeof part>, to?: Parameters<typeof consistencyOf>[1]) => {
  const result = consistencyOf(withPart(whole, changed), ...(to === undefined ? [] : [to]));
  return { ...result.parts.find(({ store }) => store === changed.store), ok: result.ok, errors: result.errors };
};

describe("the consistency of a recovery point", () => {
  it("is given where every part was complete before the restore point", () => {
    expect(consistencyOf(whole)).toMatchObject({ ok: true, errors: [], parts: [{ store: "postgres", standing: "consistent" }, { store: "redis", standing: "consistent", behindSeconds: 0 }, { store: "agents", standing: "consistent" }] });
  });

  it("reports a Redis that is behind with how much, which is no error", () => {
    expect(redisIn(part("redis", earlier))).toMatchObject({ ok: true, errors: [], standing: "behind", behindSeconds: 30, why: "it is up to 30 s behind PostgreSQL" });
  });

  it("calls a Redis that may know a commit behind the restore point an error, whatever the clocks say", () => {
    const found = redisIn(part("redis", earlier, { notAfter: { lsn: "0/3000101", timeline: 1 } }));
    expect(found).toMatchObject({ ok: false, standing: "ahead" });
    expect(found.errors).toEqual(["redis: it may know commits up to 0/3000101, and PostgreSQL reaches to 0/3000100"]);
  });

  it("takes the restore point's own LSN for not ahead", () => {
    expect(redisIn(part("redis", time, { notAfter: { lsn: "0/3000100", timeline: 1 } }))).toMatchObject({ ok: true, standing: "consistent" });
  });

  it("compares LSNs as numbers, not as texts", () => {
    expect(redisIn(part("redis", time, { notAfter: { lsn: "0/FFFFFF", timeline: 1 } })).ok).toBe(true);
    expect(redisIn(part("redis", time, { notAfter: { lsn: "1/0", timeline: 1 } })).ok).toBe(false);
  });

  it("believes LSNs rather than a clock that is ahead", () => {
    expect(redisIn(part("redis", later))).toMatchObject({ ok: true, standing: "consistent", behindSeconds: 0 });
  });

  it("does not compare LSNs of two timelines: a change of the leader may have lost what Redis knows", () => {
    const found = redisIn(part("redis", earlier, { notAfter: { lsn: "0/1", timeline: 1 } }), restorePoint(time, { timeline: 2 }));
    expect(found).toMatchObject({ ok: false, standing: "ahead" });
    expect(found.why).toContain("made on timeline 1, and PostgreSQL goes on along 2");
  });

  it("goes by the times where nothing says the LSN", () => {
    expect(redisIn(part("redis", later, { notAfter: null }))).toMatchObject({ ok: false, standing: "ahead" });
    expect(redisIn(part("redis", earlier, { notAfter: null }))).toMatchObject({ ok: true, standing: "behind", behindSeconds: 30 });
    expect(redisIn(part("redis", time, { notAfter: null }))).toMatchObject({ ok: true, standing: "consistent" });
  });

  it("finds everything ahead of a PostgreSQL that is recovered to its backup only", () => {
    const found = consistencyOf(whole, { lsn: "0/2000000", timeline: 1, time: earlier });
    expect(found.ok).toBe(false);
    expect(found.errors.map((error) => error.split(":")[0])).toEqual(["redis", "agents"]);
  });

  it("is an error where PostgreSQL's backup ends behind the restore point", () => {
    expect(redisIn(part("postgres", time, { watermark: { time, lsn: "0/3000101" } })).errors).toEqual(["postgres: its backup is consistent at 0/3000101 only, behind 0/3000100"]);
    expect(redisIn(part("postgres", time, { watermark: { time, lsn: "0/3000100" } })).ok).toBe(true);
  });

  it("wants what PostgreSQL refers to at least as new as PostgreSQL", () => {
    const objects = (at: string) => consistencyOf({ ...whole, parts: [...whole.parts, part("objects", at, { order: "after" })] });
    expect(objects(later).ok).toBe(true);
    expect(objects(time).ok).toBe(true);
    expect(objects(earlier).errors[0]).toContain(`objects: it reaches to ${earlier}`);
  });

  it("knows nothing, and claims no error, where there is no restore point", () => {
    for (const none of [null, { status: "failed" as const, error: "no" }]) {
      expect(consistencyOf({ ...whole, restorePoint: none })).toMatchObject({ ok: true, parts: [{ standing: "unknown" }, { standing: "unknown" }, { standing: "unknown" }] });
    }
  });

  it("leaves out parts that failed", () => {
    expect(consistencyOf(withPart(whole, { store: "redis", order: "before", needed: true, status: "failed", error: "refused" })).parts.map(({ store }) => store)).toEqual(["postgres", "agents"]);
  });
});
