import { describe, expect, it } from "vitest";
import { DrError } from "../../../runner/errors.ts";
import { chooseRecoveryPoint, newestPerStore, usablePoints, type PointQuery } from "../../../runner/recovery-point/choose.ts";
import { readRecoveryPoint } from "../../../runner/recovery-point/record.ts";
import { copyFailed, copyOk, record } from "../records.ts";
import { part, point, pointRecord, restorePoint, withPart } from "./points.ts";

const [first, second, third] = ["2026-11-20T02:00:00.000Z", "2026-11-21T02:00:00.000Z", "2026-11-22T02:00:00.000Z"] as const;
const now = new Date("2026-11-22T12:00:00.000Z");
const failedIn = (...backends: string[]) => ["r2", "s3"].map((backend) => ({ backend, error: backends.includes(backend) ? "refused" : null }));
const lackingRedis = (time: string, ...backends: string[]) => withPart(point(time), part("redis", time, { places: failedIn(...backends) }));

function choose(records: Parameters<typeof chooseRecoveryPoint>[0], query: Partial<PointQuery> = {}) {
  return chooseRecoveryPoint(records, { now, ...query });
}

function refusal(records: Parameters<typeof chooseRecoveryPoint>[0], query: Partial<PointQuery> = {}): DrError {
  try {
    choose(records, query);
  } catch (error) {
    if (error instanceof DrError) return error;
    throw error;
  }
  throw new Error("a DrError is expected");
}

const three = [pointRecord(first), pointRecord(second), pointRecord(third)];

describe("the choice of a recovery point", () => {
  it("takes the newest complete one, whatever the order of the records", () => {
    expect(choose([...three].reverse())).toMatchObject({ record: { startedAt: third }, backends: ["r2", "s3"], notes: [], consistency: { ok: true } });
  });

  it("takes the newest at or before a time, by where PostgreSQL is recovered to", () => {
    const slow = pointRecord(second, point(second, { restorePoint: restorePoint("2026-11-21T02:30:00.000Z") }));
    const records = [pointRecord(first), slow];
    expect(choose(records, { at: new Date("2026-11-21T02:29:59.999Z") }).record.startedAt).toBe(first);
    expect(choose(records, { at: new Date("2026-11-21T02:30:00.000Z") }).record.startedAt).toBe(second);
  });

  it("takes one that is complete in a single backend, and says in which", () => {
    expect(choose([pointRecord(second), pointRecord(third, lackingRedis(third, "s3"))])).toMatchObject({ record: { startedAt: third }, backends: ["r2"] });
  });

  it("passes by what is incomplete in the backend that is asked for", () => {
    const records = [pointRecord(second), pointRecord(third, lackingRedis(third, "s3"))];
    expect(choose(records, { backend: "s3" })).toMatchObject({ record: { startedAt: second }, backends: ["s3"] });
    expect(choose(records, { backend: "r2" })).toMatchObject({ record: { startedAt: third }, backends: ["r2"] });
  });

  it("passes by parts that failed, everywhere", () => {
    const failed = withPart(point(third), { store: "redis", order: "before", needed: true, status: "failed", error: "Redis refuses" });
    expect(choose([pointRecord(second), pointRecord(third, failed)]).record.startedAt).toBe(second);
    const noPoint = point(third, { restorePoint: { status: "failed", error: "no WAL" } });
    expect(choose([pointRecord(second), pointRecord(third, noPoint)]).record.startedAt).toBe(second);
  });

  it("passes by parts that stand in different backends only: none of them has all", () => {
    const crossed = withPart(lackingRedis(third, "s3"), part("postgres", third, { places: failedIn("r2") }));
    expect(choose([pointRecord(second), pointRecord(third, crossed)]).record.startedAt).toBe(second);
  });

  it("does not believe a copy that its own parts contradict", () => {
    const lying = pointRecord(third, lackingRedis(third, "r2", "s3"), { copies: [copyOk("r2"), copyOk("s3")] });
    expect(choose([pointRecord(second), lying]).record.startedAt).toBe(second);
  });

  it("passes by a point whose Redis is ahead of PostgreSQL", () => {
    const ahead = withPart(point(third), part("redis", third, { notAfter: { lsn: "0/9000000", timeline: 1 } }));
    expect(choose([pointRecord(second), pointRecord(third, ahead)]).record.startedAt).toBe(second);
  });

  it("passes by what has expired: the point, a needed part, the WAL to the restore point", () => {
    const past = now.toISOString();
    const gone = [
      pointRecord(third, point(third), { expiresAt: past }),
      pointRecord(third, withPart(point(third), part("redis", third, { expiresAt: past }))),
      pointRecord(third, point(third, { restorePoint: restorePoint(third, { expiresAt: past }) })),
    ];
    for (const expired of gone) expect(choose([pointRecord(second), expired]).record.startedAt).toBe(second);
  });

  it("does without an agents' checkpoint that has expired, and says so", () => {
    const expired = withPart(point(third), part("agents", third, { expiresAt: second }));
    expect(choose([pointRecord(third, expired)])).toMatchObject({ record: { startedAt: third }, notes: [`agents: agents-of-${third} expired at ${second}`] });
  });

  it("leaves records of others and damaged details alone", () => {
    const damaged = pointRecord(third, point(third), { details: { recoveryPoint: { parts: "none" } } });
    const other = record("redis", "snapshot", third);
    expect(readRecoveryPoint(damaged)).toBeUndefined();
    expect(readRecoveryPoint(other)).toBeUndefined();
    expect(choose([pointRecord(first), damaged, other]).record.startedAt).toBe(first);
  });

  it("takes a point without PostgreSQL by the latest of its watermarks", () => {
    const redisOnly = { parts: [part("redis", second, { notAfter: null })], restorePoint: null, beside: [] };
    expect(choose([pointRecord(second, redisOnly)])).toMatchObject({ time: new Date(second), consistency: { parts: [{ standing: "unknown" }] } });
  });

  it("says that there is none, what is wrong with the nearest, and what to do", () => {
    expect(refusal([])).toMatchObject({ kind: "failed", what: "No complete recovery point: there is no recovery point" });
    const early = refusal(three, { at: new Date("2026-11-19T00:00:00Z") });
    expect(early.what).toContain("No backup available before target time 2026-11-19T00:00:00.000Z");
    expect(early.todo).toContain(`reaches to ${first}`);
    const broken = refusal([pointRecord(third, lackingRedis(third, "r2", "s3"))]);
    expect(broken.what).toContain("r2 lacks redis: refused; s3 lacks redis: refused");
    expect(refusal([pointRecord(third, lackingRedis(third, "s3"))], { backend: "s3" })).toMatchObject({ where: "backend s3" });
    expect(refusal(three, { backend: "archive" }).what).toContain("archive was not to hold it");
  });

  it("refuses a time in the future", () => {
    expect(refusal(three, { at: new Date(now.getTime() + 1) })).toMatchObject({ kind: "usage" });
  });

  it("lists all that can be used, oldest first", () => {
    const list = usablePoints([three[2], pointRecord(second, lackingRedis(second, "r2", "s3")), three[0]].filter((one) => one !== undefined), { now });
    expect(list.map(({ record: { startedAt } }) => startedAt)).toEqual([first, third]);
  });
});

describe("the newest backup of each store", () => {
  const ids = (records: Parameters<typeof newestPerStore>[0], query: Partial<PointQuery> = {}) => Object.fromEntries([...newestPerStore(records, { now, ...query })].map(([store, { startedAt }]) => [store, startedAt]));

  it("comes from whatever run it is", () => {
    const records = [record("postgres", "full", first), record("postgres", "incremental", third), record("redis", "snapshot", second), record("agents", "checkpoint", first)];
    expect(ids(records)).toEqual({ postgres: third, redis: second, agents: first });
  });

  it("is the one that reaches furthest, not the one that began last", () => {
    const stale = record("redis", "snapshot", third, { watermark: { time: first } });
    expect(ids([record("redis", "snapshot", second), stale])).toEqual({ redis: second });
  });

  it("reaches no further than the time that is asked for", () => {
    expect(ids([record("redis", "snapshot", second), record("redis", "snapshot", third)], { at: new Date(second) })).toEqual({ redis: second });
  });

  it("stands in the backend that is asked for", () => {
    const half = record("redis", "snapshot", third, { copies: [copyOk("r2"), copyFailed("s3")] });
    expect(ids([record("redis", "snapshot", second), half], { backend: "s3" })).toEqual({ redis: second });
    expect(ids([record("redis", "snapshot", second), half])).toEqual({ redis: third });
  });

  it("is no failed one, no expired one, no mark, no verification, nothing that holds some agents only", () => {
    const records = [
      record("postgres", "full", first),
      record("postgres", "restore-point", third),
      record("redis", "snapshot", first),
      record("redis", "snapshot", second, { copies: [copyFailed("r2"), copyFailed("s3")] }),
      record("redis", "snapshot", second, { expiresAt: second }),
      record("redis", "verification", third),
      record("agents", "checkpoint", first, { details: { scope: "all" } }),
      record("agents", "checkpoint", second, { details: { scope: "some" } }),
      record("agents", "before-recovery", third),
      pointRecord(third),
    ];
    expect(ids(records)).toEqual({ postgres: first, redis: first, agents: first });
  });
});
