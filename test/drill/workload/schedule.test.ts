import { describe, expect, it } from "vitest";
import { inRanges, makeCalendar, rangesOf } from "../../../drill/workload/schedule.ts";

const schedules = [
  { seed: 7, agents: 1, perTick: 1 },
  { seed: 0, agents: 2, perTick: 2 },
  { seed: 1, agents: 7, perTick: 3 },
  { seed: 42, agents: 100, perTick: 10 },
  { seed: -9, agents: 64, perTick: 5 },
  { seed: 2 ** 40, agents: 97, perTick: 96 },
];

describe("the calendar", () => {
  it.each(schedules)("agrees with counting the touches one by one: $agents agents, $perTick a tick", (schedule) => {
    const calendar = makeCalendar(schedule);
    const counted = new Array<number>(schedule.agents).fill(0);
    for (let tick = 1; tick <= 300; tick += 1) {
      const touches = calendar.touchedAt(tick);
      expect(new Set(touches.map(({ agent }) => agent)).size).toBe(schedule.perTick);
      for (const { agent, sequence } of touches) {
        counted[agent] = (counted[agent] ?? 0) + 1;
        expect(sequence).toBe(counted[agent]);
        expect(calendar.tickOf(agent, sequence)).toBe(tick);
      }
      if (tick % 50 === 0) for (let agent = 0; agent < schedule.agents; agent += 1) expect(calendar.sequenceAt(agent, tick)).toBe(counted[agent]);
    }
  });

  it("has every agent at sequence 0 before the first tick", () => {
    const calendar = makeCalendar({ seed: 3, agents: 50, perTick: 4 });
    for (let agent = 0; agent < 50; agent += 1) expect(calendar.sequenceAt(agent, 0)).toBe(0);
  });

  it("visits every agent before it visits one again", () => {
    const calendar = makeCalendar({ seed: 3, agents: 30_000, perTick: 10 });
    const seen = new Set<number>();
    for (let tick = 1; tick <= 3_000; tick += 1) for (const { agent } of calendar.touchedAt(tick)) seen.add(agent);
    expect(seen.size).toBe(30_000);
  });

  it("leaves out the sequences whose ticks were lost, and keeps those after the gap", () => {
    const calendar = makeCalendar({ seed: 5, agents: 10, perTick: 5 });
    const agent = calendar.touchedAt(1)[0]?.agent ?? 0; // touched by 1, 3, 5, 7 …
    expect(calendar.sequencesIn(agent, [{ first: 1, last: 7 }])).toEqual([0, 1, 2, 3, 4]);
    expect(calendar.sequencesIn(agent, [{ first: 1, last: 2 }, { first: 5, last: 7 }])).toEqual([0, 1, 3, 4]);
    expect(calendar.sequencesIn(agent, [])).toEqual([0]);
  });

  it("refuses impossible schedules and unknown agents, and says why", () => {
    expect(() => makeCalendar({ seed: 1, agents: 0, perTick: 1 })).toThrow("agents must be a whole number from 1");
    expect(() => makeCalendar({ seed: 1, agents: 3, perTick: 4 })).toThrow("perTick must be a whole number from 1 to the number of agents (3), not 4");
    expect(() => makeCalendar({ seed: 0.5, agents: 3, perTick: 1 })).toThrow("seed must be a whole number");
    expect(() => makeCalendar({ seed: 1, agents: 3, perTick: 1 }).sequenceAt(3, 1)).toThrow("there is no agent 3");
  });
});

describe("ranges of ticks", () => {
  it("fold what is without gaps", () => {
    expect(rangesOf([])).toEqual([]);
    expect(rangesOf([1, 2, 3, 5, 7, 8])).toEqual([{ first: 1, last: 3 }, { first: 5, last: 5 }, { first: 7, last: 8 }]);
  });

  it("hold both of their ends", () => {
    const ranges = rangesOf([2, 3, 4]);
    expect([1, 2, 4, 5].map((tick) => inRanges(tick, ranges))).toEqual([false, true, true, false]);
  });
});
