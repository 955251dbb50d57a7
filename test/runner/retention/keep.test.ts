import { describe, expect, it } from "vitest";
import { blackroad } from "../../../plan/blackroad.ts";
import { pgbackrestRetention } from "../../../plan/config/pgbackrest.ts";
import { days, hours, minutes } from "../../../plan/units.ts";
import { expiryOf } from "../../../runner/backup-record.ts";
import type { BackupRecord } from "../../../runner/catalog/record.ts";
import { decide, objectsHorizon, unlockedAt } from "../../../runner/retention/decide.ts";
import { keptUntil } from "../../../runner/retention/keep.ts";
import { expired } from "../../../runner/stores/postgres/expire.ts";
import { copyFailed, copyOk, record } from "../records.ts";

const now = Date.parse("2026-11-22T12:00:00.000Z");
const at = (secondsAgo: number): string => new Date(now - secondsAgo * 1_000).toISOString();
const snapshot = (secondsAgo: number, more: Partial<BackupRecord> = {}) => record("redis", "snapshot", at(secondsAgo), { expiresAt: expiryOf(blackroad, "redis-snapshot", new Date(at(secondsAgo))), ...more });
const checkpoint = (secondsAgo: number) => record("agents", "checkpoint", at(secondsAgo), { expiresAt: expiryOf(blackroad, "agents-checkpoint", new Date(at(secondsAgo))) });
const byId = (records: readonly BackupRecord[]) => [...records].sort((a, b) => (a.id < b.id ? -1 : 1));
const left = (records: readonly BackupRecord[], moment = now): BackupRecord[] => {
  const over = new Set(decide(blackroad, { records: byId(records), problems: [] }, new Date(moment)).due.map(({ record: { id } }) => id));
  return byId(records).filter(({ id }) => !over.has(id));
};
const every = (seconds: number, span: number): number[] => Array.from({ length: Math.floor(span / seconds) }, (_, index) => index * seconds);

describe("the ladder of snapshots (S3 S4 S5)", () => {
  const records = every(minutes(10), days(100)).map((ago) => snapshot(ago));
  const kept = left(records);
  const between = (from: number, to: number) => kept.filter(({ startedAt }) => now - Date.parse(startedAt) > from * 1_000 && now - Date.parse(startedAt) <= to * 1_000);

  it("keeps all of 24 hours, one an hour of 7 days, one a day of 90 days", () => {
    expect(between(0, days(1))).toHaveLength(144);
    expect(between(days(2), days(6))).toHaveLength(4 * 24);
    expect(between(days(8), days(88))).toHaveLength(80);
    expect(between(days(91.1), days(200))).toHaveLength(0);
  });

  it("stays the same whichever day it is looked at: what is kept was never over before", () => {
    let standing: readonly BackupRecord[] = records;
    for (const ago of [40, 31.3, 20.1, 9.7, 3.2, 0.4, 0]) standing = left(standing, now - days(ago) * 1_000);
    expect(standing.map(({ id }) => id)).toEqual(kept.map(({ id }) => id));
  });

  it("takes the first good one of an hour, and one that is not everywhere only where there is no other", () => {
    const hour = days(3);
    const partial = snapshot(hour, { copies: [copyOk("r2"), copyFailed("s3")] });
    const good = snapshot(hour - minutes(10));
    const bad = snapshot(hour - minutes(5), { copies: [copyFailed("r2"), copyFailed("s3")] });
    expect(left([partial, bad, good, snapshot(60)]).map(({ id }) => id)).toEqual([good.id, snapshot(60).id]);
    expect(left([partial, bad, snapshot(60)]).map(({ id }) => id)).toEqual([partial.id, snapshot(60).id]);
  });
});

describe("what is kept in any case", () => {
  it("R5: agents' checkpoints 24 h, and an hour more for clocks that are wrong", () => {
    const records = every(minutes(5), days(3)).map((ago) => checkpoint(ago));
    const ages = left(records).map(({ startedAt }) => (now - Date.parse(startedAt)) / 1_000);
    expect(Math.max(...ages)).toBe(hours(25));
    expect(ages).toHaveLength(25 * 12 + 1);
  });

  it("R5: the WAL and what it is replayed on reach back 7 days at every moment", () => {
    const { fullDays, archiveFulls } = pgbackrestRetention(blackroad);
    expect(fullDays).toBe(90);
    // With the WAL of so many daily full backups, the oldest of them is at least as old as the window.
    expect((archiveFulls - 1) * days(1)).toBeGreaterThanOrEqual(blackroad.recovery.walRetention);
    expect(blackroad.recovery.walRetention).toBe(days(7));
    expect(blackroad.recovery.window).toBe(days(7));
    const base = { startLsn: "0/1", stopLsn: "0/2", startSegment: "", stopSegment: "", timeline: 1, bytes: 1, storedBytes: 1, damagedPages: false, archiveId: "15-1" };
    const backup = (label: string, type: "full" | "diff" | "incr", ago: number, references: readonly string[] = []) => ({ ...base, label, type, startedAt: new Date(at(ago)), stoppedAt: new Date(at(ago)), references });
    const backups = [backup("F", "full", days(80)), backup("D", "diff", days(8), ["F"]), backup("I", "incr", hours(30), ["F", "D"]), backup("J", "incr", hours(20), ["F", "D", "I"]), backup("K", "incr", 60, ["F", "D"])];
    const isOver = ({ type, stoppedAt }: (typeof backups)[number]): boolean => type !== "full" && stoppedAt.getTime() < now - (type === "diff" ? days(7) : hours(24)) * 1_000;
    expect(expired(backups, isOver)).toEqual([]);
    expect(expired(backups.filter(({ label }) => label !== "J"), isOver)).toEqual(["I"]);
  });

  it("the newest good backup of a store and kind, and the newest in each backend, however old", () => {
    const everywhere = snapshot(days(200));
    const inR2 = snapshot(days(150), { copies: [copyOk("r2"), copyFailed("s3")] });
    const failed = snapshot(days(120), { copies: [copyFailed("r2"), copyFailed("s3")] });
    expect(left([snapshot(days(210)), everywhere, snapshot(days(160), { copies: [copyOk("r2"), copyFailed("s3")] }), inR2, failed]).map(({ id }) => id)).toEqual([everywhere.id, inR2.id, failed.id]);
  });

  it("what a kept backup is made of, and what that is made of", () => {
    const base = record("vectors", "snapshot", at(days(300)), { expiresAt: at(days(200)) });
    const middle = record("vectors", "snapshot", at(days(299)), { expiresAt: at(days(199)), objects: [{ key: `vectors/${base.id}/0.pgp`, bytes: 1, sha256: "0" }] });
    const newest = record("vectors", "snapshot", at(60), { expiresAt: at(-86_400 * 1), objects: [{ key: `vectors/${middle.id}/0.pgp`, bytes: 1, sha256: "0" }] });
    expect(left([base, middle, newest])).toHaveLength(3);
    expect(keptUntil(blackroad, [base, middle, newest]).get(base.id)?.why).toContain("needs it");
    const without = { ...newest, objects: [] };
    expect(left([base, middle, without])).toEqual([without]);
  });

  it("a recovery point's parts, but not those that can be done without", () => {
    const redis = record("redis", "snapshot", at(days(60)), { id: "20260101T000000000Z-redis-snapshot-aaaa", expiresAt: at(days(50)) });
    const agents = record("agents", "checkpoint", at(days(60)), { id: "20260101T000000000Z-agents-checkpoint-aaaa", expiresAt: at(days(59)) });
    const part = (made: BackupRecord, needed: boolean) => ({ store: made.store, order: "before", needed, status: "saved", backup: made.id, watermark: { time: made.startedAt, lsn: null }, finishedAt: made.finishedAt, notAfter: null, expiresAt: made.expiresAt, places: [] });
    const point = record("system", "recovery-point", at(days(60)), { expiresAt: at(-86_400 * 30), details: { recoveryPoint: { parts: [part(redis, true), part(agents, false)], restorePoint: null } } });
    expect(left([redis, agents, point, snapshot(60), checkpoint(60)]).map(({ id }) => id)).not.toContain(agents.id);
    expect(left([redis, agents, point, snapshot(60), checkpoint(60)]).map(({ id }) => id)).toContain(redis.id);
  });

  it("configuration, for ever", () => {
    expect(left([record("configuration", "snapshot", at(days(4_000))), record("configuration", "snapshot", at(60))])).toHaveLength(2);
  });

  it("an object that a kept record is made of, though the record that stored it goes", () => {
    const old = record("metrics", "block", at(days(200)), { id: "20260101T000000000Z-metrics-block-aaaa", expiresAt: at(days(100)), objects: [{ key: "metrics/20260101T000000000Z-metrics-block-aaaa/b", bytes: 1, sha256: "0" }, { key: "metrics/20260101T000000000Z-metrics-block-aaaa/c", bytes: 1, sha256: "0" }] });
    const other = { ...old, id: "20260102T000000000Z-metrics-block-aaaa", startedAt: at(days(199)), objects: [{ key: "metrics/20260101T000000000Z-metrics-block-aaaa/b", bytes: 1, sha256: "0" }], expiresAt: null, kind: "other" };
    expect(decide(blackroad, { records: [old, other, record("metrics", "block", at(60))], problems: [] }, new Date(now)).due).toEqual([]);
  });
});

describe("what cannot be read", () => {
  const chain = [record("vectors", "snapshot", at(days(300)), { expiresAt: at(days(200)) }), record("vectors", "snapshot", at(days(299)), { expiresAt: at(days(199)) })];
  const newest = (needs: boolean) => record("vectors", "snapshot", at(60), { expiresAt: at(-86_400 * 1), objects: needs ? [{ key: `vectors/${chain[1]?.id ?? ""}/x`, bytes: 1, sha256: "0" }] : [] });
  const unreadable = { backend: "s3", key: "catalog/vectors/20260303T000000000Z-vectors-snapshot-ffff.json", what: "damaged" };

  it("spares a store whose records build on each other: nobody knows what that one needs", () => {
    expect(decide(blackroad, { records: [...chain, newest(true)], problems: [] }, new Date(now)).due).toHaveLength(1);
    for (const problem of [unreadable, { backend: "s3", what: "refused" }]) {
      expect(decide(blackroad, { records: [...chain, newest(true)], problems: [problem] }, new Date(now))).toMatchObject({ due: [], spared: [{ store: "vectors" }] });
    }
    expect(decide(blackroad, { records: [...chain, newest(false)], problems: [unreadable] }, new Date(now)).due).toHaveLength(2);
  });

  it("is never deleted itself, nor what differs between backends", () => {
    const [oldest] = chain;
    const differs = { backend: "s3", key: `catalog/vectors/${oldest?.id ?? ""}.json`, what: "the record differs" };
    expect(decide(blackroad, { records: [...chain, newest(false)], problems: [differs] }, new Date(now)).due.map(({ record: { id } }) => id)).toEqual([chain[1]?.id]);
  });
});

describe("the copy of the objects", () => {
  const sync = (secondsAgo: number) => record("objects", "sync", at(secondsAgo), { expiresAt: expiryOf(blackroad, "objects-sync", new Date(at(secondsAgo))) });
  const horizonOf = (records: readonly BackupRecord[], problems: Parameters<typeof objectsHorizon>[1]["problems"] = []) => objectsHorizon(blackroad, { records: byId(records), problems }, new Date(now))?.toISOString();

  it("is needed as it was since the oldest state that is kept, and for its retention in any case", () => {
    expect(horizonOf([sync(days(100)), sync(days(90) + 600), sync(days(1))])).toBe(at(days(90) + 600)); // over, but for the hour that a clock may be wrong
    expect(horizonOf([sync(days(1)), sync(60)])).toBe(at(days(90)));
    expect(horizonOf([sync(days(400))])).toBe(at(days(400))); // the newest there is, however old
  });

  it("loses nothing where nobody knows which state is the oldest", () => {
    expect(horizonOf([])).toBeUndefined();
    for (const problem of [{ backend: "r2", what: "refused" }, { backend: "s3", key: "catalog/objects/x.json", what: "damaged" }]) expect(horizonOf([sync(days(100)), sync(60)], [problem])).toBeUndefined();
    expect(horizonOf([sync(days(100)), sync(60)], [{ backend: "s3", key: "catalog/redis/x.json", what: "damaged" }])).toBeDefined();
  });
});

describe("a lock", () => {
  it("is waited for where a deletion would be refused, and not where it leaves the version behind", () => {
    expect(unlockedAt(blackroad, "r2", "agents/ID/blocks.pgp", now)).toBe(now + hours(24) * 1_000);
    expect(unlockedAt(blackroad, "r2", "catalog/agents/ID.json", now)).toBe(now + days(7) * 1_000);
    expect(unlockedAt(blackroad, "s3", "agents/ID/blocks.pgp", now)).toBe(now);
    expect(unlockedAt(blackroad, "somewhere", "agents/ID/blocks.pgp", now)).toBe(now);
  });
});
