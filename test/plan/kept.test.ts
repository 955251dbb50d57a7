import { describe, expect, it } from "vitest";
import { blackroad } from "../../plan/blackroad.ts";
import { shortLivedPrefixes } from "../../plan/layout.ts";
import { goesToShortLived, keptFor, type StandingBackup } from "../../plan/kept.ts";
import type { BackendName, Schedule, ScheduleName } from "../../plan/types.ts";
import { days, hours, type Duration } from "../../plan/units.ts";

const scheduleCalled = (name: ScheduleName): Schedule => {
  const found = blackroad.schedules.find((one) => one.name === name);
  if (found === undefined) throw new Error(name);
  return found;
};
const redis = scheduleCalled("redis-snapshot");
const backend = (name: BackendName) => {
  const found = blackroad.backends.find((one) => one.name === name);
  if (found === undefined) throw new Error(name);
  return found;
};
const at = (time: string): Date => new Date(`2026-11-22T${time}:00Z`);
const stands = (time: string, keptSeconds: Duration | "forever"): StandingBackup => ({ startedAt: at(time), keptFor: keptSeconds });

describe("how long one of many snapshots is kept", () => {
  it.each<readonly [string, string, readonly StandingBackup[], Duration]>([
    ["90 days for the first of a day", "00:03", [], days(90)],
    ["24 hours for another of the same hour", "00:08", [stands("00:03", days(90))], hours(24)],
    ["7 days for the first of the next hour", "01:02", [stands("00:03", days(90))], days(7)],
    ["7 days where the hour's first run failed, whenever one succeeds", "01:42", [stands("00:03", days(90)), stands("00:58", hours(24))], days(7)],
    ["90 days where the day's first ones failed", "07:01", [stands("06:05", days(7))], days(90)],
    ["24 hours where the backup of the whole system has made the day's", "02:05", [stands("02:00", days(90))], hours(24)],
  ])("%s", (what, time, standing, kept) => {
    expect(keptFor(redis, at(time), standing), what).toBe(kept);
  });

  it("is what the schedule says where none is kept longer", () => {
    expect(keptFor(scheduleCalled("agents-checkpoint"), at("00:00"), [])).toBe(hours(24));
    expect(keptFor(scheduleCalled("config-snapshot"), at("00:00"), [])).toBe("forever");
  });
});

describe("the short-lived place", () => {
  it("takes what is kept for less than the backend's lock, and of it nothing that is kept longer", () => {
    expect(goesToShortLived(backend("s3"), redis, hours(24))).toBe(true);
    expect(goesToShortLived(backend("s3"), redis, days(7))).toBe(false);
    expect(goesToShortLived(backend("s3"), scheduleCalled("vault-snapshot"), days(7))).toBe(false);
    expect(goesToShortLived(backend("s3"), scheduleCalled("postgres-incremental"), hours(24)), "a repository is one place").toBe(false);
  });

  it("holds prefixes of jobs alone, never records or the repository", () => {
    expect(shortLivedPrefixes(blackroad, backend("s3"))).toEqual(["redis/", "vectors/", "agents/"]);
  });
});
