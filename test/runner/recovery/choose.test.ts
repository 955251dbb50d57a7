import { describe, expect, it } from "vitest";
import { chooseBackup, chooseTimeline, rollable, windowOf, type Hints, type Holdings } from "../../../runner/recovery/choose.ts";
import type { RecoveryTarget } from "../../../runner/recovery/target.ts";
import type { RepositoryBackup } from "../../../runner/stores/postgres/info.ts";
import { parseLsn } from "../../../runner/stores/postgres/lsn.ts";

const at = (time: string): Date => new Date(`2026-11-22T${time}Z`);

function backup(label: string, type: "full" | "diff" | "incr", stopped: string, stopLsn: string, timeline = 1): RepositoryBackup {
  const segment = `0000000${timeline}0000000000000001`;
  return { label, type, startLsn: stopLsn, stopLsn, startedAt: new Date(at(stopped).getTime() - 60_000), stoppedAt: at(stopped), startSegment: segment, stopSegment: segment, timeline, bytes: 1e9, storedBytes: 1e8, references: [], damagedPages: false, archiveId: "15-1" };
}

const first = backup("F1", "full", "02:00:00", "0/2000000");
const second = backup("I1", "incr", "02:15:00", "0/3000000");
const third = backup("F2", "full", "03:00:00", "0/5000000");
const fourth = backup("I2", "incr", "03:15:00", "0/6000000");

const holdings = (changes: Partial<Holdings> = {}): Holdings => ({
  repository: "r2",
  backups: [first, second, third, fourth],
  archive: { archiveId: "15-1", timelines: [1], histories: new Map() },
  newest: new Map([[1, { segment: "000000010000000000000008", path: "p", archivedAt: at("04:00:10") }]]),
  newestCommit: new Map([[1, { time: at("04:00:00"), text: "2026-11-22 04:00:00", xid: "900" }]]),
  archiveFulls: 8,
  segmentBytes: 16 * 1024 ** 2,
  ...changes,
});
const hints = (changes: Partial<Hints> = {}): Hints => ({ nextXids: new Map(), ...changes });
const time = (text: string): RecoveryTarget => ({ kind: "time", time: { date: at(text), postgres: `2026-11-22 ${text}+00` } });
const lsn = (text: string): RecoveryTarget => ({ kind: "lsn", lsn: parseLsn(text) ?? 0n });
const chosen = (target: RecoveryTarget, given: Partial<Hints> = {}, changes: Partial<Holdings> = {}) => chooseBackup(holdings(changes), target, hints(given)).backup.label;

describe("the backup to start from", () => {
  it.each<[string, RecoveryTarget, string]>([
    ["the newest for the latest", { kind: "latest" }, "I2"],
    ["the newest as it is", { kind: "immediate" }, "I2"],
    ["the newest before a time", time("03:20:00"), "I2"],
    ["not one that ends after the time", time("03:10:00"), "F2"],
    ["not one that ends in the same second: pgBackRest rounds down", time("03:15:00"), "F2"],
    ["one that ended a second before", time("03:15:01"), "I2"],
    ["the first, just after it", time("02:00:01"), "F1"],
    ["the newest that stops at the LSN", lsn("0/5000000"), "F2"],
    ["not one that stops past the LSN", lsn("0/4FFFFFF"), "I1"],
  ])("is %s", (_what, target, label) => {
    expect(chosen(target)).toBe(label);
  });

  it("is the one before a restore point, by the point's LSN, however new the newest backup is", () => {
    const target: RecoveryTarget = { kind: "name", name: "n" };
    expect(chosen(target, { restorePoint: parseLsn("0/5500000") ?? 0n })).toBe("F2");
    expect(() => chosen(target)).toThrow(/knows no restore point n/);
    expect(chosen(target, { label: "F1" })).toBe("F1");
    expect(() => chosen(target, { restorePoint: 1n })).toThrow(/No backup available before restore point n/);
  });

  it("is the one whose end every transaction from the target on came after", () => {
    const nextXids = new Map([["F1", 700n], ["I1", 750n], ["F2", 800n], ["I2", 850n]]);
    const xid = (id: bigint): RecoveryTarget => ({ kind: "xid", xid: id });
    expect(chosen(xid(849n), { nextXids })).toBe("F2");
    expect(chosen(xid(850n), { nextXids })).toBe("I2");
    expect(() => chosen(xid(699n), { nextXids })).toThrow(/No backup available before transaction 699/);
    expect(() => chosen(xid(849n))).toThrow(/does not say which transactions/);
    expect(chosen(xid(3n), { label: "I1" })).toBe("I1");
    // A row's xmin is 32 bits: after a wrap it is read in the epoch that is nearest.
    const wrapped = new Map([["F1", 2n ** 32n - 10n], ["I1", 2n ** 32n + 5n]]);
    expect(chosen(xid(7n), { nextXids: wrapped })).toBe("I1");
    expect(chosen(xid(2n), { nextXids: wrapped })).toBe("F1");
  });

  it("is the one that was named, or an error that names it", () => {
    expect(chosen({ kind: "latest" }, { label: "F1" })).toBe("F1");
    expect(() => chosen({ kind: "latest" }, { label: "F9" })).toThrow(/there is no backup F9/);
    expect(() => chosen(time("02:10:00"), { label: "F2" })).toThrow(/No backup available before target time/);
  });

  it("is none: before the first, outside the window, past the archive's end, or without any backup", () => {
    expect(() => chosen(time("02:00:00"))).toThrow(/No backup available before target time 2026-11-22 02:00:00\+00: its oldest is F1/);
    expect(() => chosen(time("04:00:01"))).toThrow(/is outside recovery window: 2026-11-22T02:00:01.000Z to 2026-11-22T04:00:00.000Z.*recover to the latest/s);
    expect(() => chosen(lsn("0/9000000"))).toThrow(/outside recovery window: the archive ends with segment 000000010000000000000008/);
    expect(chosen(lsn("0/8FFFFFF"))).toBe("I2");
    expect(() => chosen(lsn("0/1"))).toThrow(/No backup available before LSN 0\/1/);
    expect(() => chosen({ kind: "latest" }, {}, { backups: [] })).toThrow(/it holds none/);
    expect(() => chosen(time("03:00:00"), {}, { backups: [] })).toThrow(/No backup available before target time/);
  });

  it("is outside the window where the backup stands but its WAL has expired", () => {
    expect(() => chosen(time("02:30:00"), {}, { archiveFulls: 1 })).toThrow(/outside recovery window.*recover a backup of that time as it is/s);
    expect(chosen({ kind: "immediate" }, { label: "I1" }, { archiveFulls: 1 })).toBe("I1");
  });

  it("ends the window with the newest segment's arrival where no commit was seen", () => {
    expect(chosen(time("04:00:05"), {}, { newestCommit: new Map() })).toBe("I2");
    expect(() => chosen(time("04:00:11"), {}, { newestCommit: new Map() })).toThrow(/outside recovery window/);
  });
});

describe("the window", () => {
  it("begins with the oldest backup whose WAL is kept", () => {
    expect(rollable([first, second, third, fourth], 8)).toHaveLength(4);
    expect(rollable([first, second, third, fourth], 1)).toEqual([third, fourth]);
    expect(rollable([second], 3)).toEqual([]);
    expect(windowOf(holdings(), 1)).toEqual({ oldest: at("02:00:01"), newest: at("04:00:00") });
    expect(windowOf(holdings({ backups: [] }), 1)).toBeUndefined();
  });
});

describe("the timeline", () => {
  const forked = holdings({
    archive: {
      archiveId: "15-1", timelines: [1, 2, 3],
      histories: new Map([[2, [{ timeline: 1, until: parseLsn("0/5800000") ?? 0n }]], [3, [{ timeline: 1, until: parseLsn("0/2800000") ?? 0n }]]]),
    },
  });

  it("is the end that production's newest record is on, not the highest", () => {
    expect(chooseTimeline(forked, hints({ timeline: 2 }))).toEqual({ timeline: 2, notes: ["timeline 2 is followed; 3 end elsewhere (choose with --timeline)"] });
    expect(chooseTimeline(forked, hints({ timeline: 1 })).timeline).toBe(3);
    expect(chooseTimeline(holdings(), hints())).toEqual({ timeline: 1, notes: [] });
  });

  it("is the one asked for, if it is there", () => {
    expect(chooseTimeline(forked, hints({ wantedTimeline: 1 })).timeline).toBe(1);
    expect(() => chooseTimeline(forked, hints({ wantedTimeline: 9 }))).toThrow(/there is no timeline 9.*1, 2, 3/s);
  });

  it("rules out backups that were made after it left", () => {
    const choice = chooseBackup(forked, { kind: "latest" }, hints({ timeline: 2 }));
    expect([choice.backup.label, choice.timeline]).toEqual(["F2", 2]);
    expect(chooseBackup(forked, { kind: "latest" }, hints({ wantedTimeline: 3 })).backup.label).toBe("F1");
    expect(() => chooseBackup(forked, { kind: "latest" }, hints({ wantedTimeline: 3, label: "I2" }))).toThrow(/timeline 3 does not go through the backup I2.*--timeline 1/s);
  });

  it("needs WAL", () => {
    expect(() => chooseTimeline(holdings({ archive: { archiveId: "15-1", timelines: [], histories: new Map() } }), hints())).toThrow(/holds no WAL/);
  });
});
