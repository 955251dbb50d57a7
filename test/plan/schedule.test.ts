import { describe, expect, it } from "vitest";
import { blackroad } from "../../plan/blackroad.ts";
import { scheduleOf } from "../../plan/find.ts";
import { overdueAfter } from "../../plan/overdue.ts";
import { intervalOf, longestInterval, nextRun } from "../../plan/schedule.ts";
import type { ScheduleName } from "../../plan/types.ts";
import { days, hours, minutes, seconds } from "../../plan/units.ts";

describe("the longest interval of a cron expression", () => {
  it.each([
    ["*/5 * * * *", minutes(5)],
    ["*/7 * * * *", minutes(7)], // and 4 min over the hour
    ["0 * * * *", hours(1)],
    ["0 2 * * *", days(1)],
    ["0 9-17 * * *", hours(16)],
    ["0 4 * * 0", days(7)],
    ["0 2 * * 1-5", days(3)],
    ["0 0 1 * *", days(31)],
    ["0 0 1 1 *", days(366)], // a leap year's,
  ])("%s", (cron, expected) => expect(longestInterval(cron)).toBe(expected));

  it.each(["0 0 29 2 *", "0 0 30 2 *", "61 * * * *", "@daily", "* * *"])("refuses %s", (cron) => expect(() => longestInterval(cron)).toThrow());

  it("is the stated interval in a scaled plan, whatever the cron says", () => {
    expect(intervalOf({ cron: "0 2 * * *", interval: seconds(5) })).toBe(5);
  });
});

describe("the next run", () => {
  const from = new Date("2026-11-22T20:30:07Z");
  it("is cron's, in UTC", () => {
    expect(nextRun({ cron: "0 2 * * *" }, from).toISOString()).toBe("2026-11-23T02:00:00.000Z");
    expect(nextRun({ cron: "0 4 * * 0" }, from).toISOString()).toBe("2026-11-29T04:00:00.000Z");
  });
  it("is the next multiple of a scaled interval, never now", () => {
    expect(nextRun({ cron: "", interval: seconds(5) }, from).toISOString()).toBe("2026-11-22T20:30:10.000Z");
    expect(nextRun({ cron: "", interval: seconds(5) }, new Date("2026-11-22T20:30:10Z")).toISOString()).toBe("2026-11-22T20:30:15.000Z");
  });
});

describe("an overdue backup", () => {
  const after = (name: ScheduleName) => {
    const schedule = scheduleOf(blackroad, name);
    return schedule === undefined ? undefined : overdueAfter(blackroad, schedule);
  };
  it("has the threshold of N9 where a run may be missed within it", () => expect([after("redis-snapshot"), after("postgres-incremental")]).toEqual([7_200, 7_200]));
  it("has its own threshold where it runs less often", () => {
    expect(after("postgres-full")).toBe(days(1) + minutes(90));
    expect(after("archive")).toBe(days(7) + hours(6));
  });
  it("is never called so before its run can have ended", () => {
    for (const schedule of blackroad.schedules) expect(overdueAfter(blackroad, schedule), schedule.name).toBeGreaterThanOrEqual(intervalOf(schedule) + schedule.deadline);
  });
});
