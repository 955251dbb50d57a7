import { describe, expect, it } from "vitest";
import { agentId, agentOfId, configText, contentsOf, eventOf, stateTextOf } from "../../../drill/workload/contents.ts";

describe("an agent's contents", () => {
  it("are the same whenever they are made", () => {
    expect(contentsOf(7, 41, 3)).toEqual(contentsOf(7, 41, 3));
    expect(stateTextOf(7, 41, 3, "0/16B3748")).toBe(stateTextOf(7, 41, 3, "0/16B3748"));
  });

  it("never change from one version of the code to the next: a recovery may be checked by a later one", () => {
    expect(contentsOf(1, 0, 0).task).toBe("agent-00001/0: The planner added three sources to the contract's second annex (e27066c7). The pattern repeats every week.");
    expect(configText(contentsOf(1, 0, 0).config)).toContain('"limits": {"tokens": 175000, "seconds": 312}');
  });

  it("differ for every seed, agent and sequence", () => {
    const texts = [contentsOf(7, 41, 3), contentsOf(8, 41, 3), contentsOf(7, 42, 3), contentsOf(7, 41, 4)];
    for (const pick of [(one: (typeof texts)[number]) => one.episode, (one: (typeof texts)[number]) => one.task, (one: (typeof texts)[number]) => configText(one.config)]) expect(new Set(texts.map(pick)).size).toBe(4);
  });

  it("differ between thousands of agents", () => {
    const episodes = new Set(Array.from({ length: 5_000 }, (_, agent) => eventOf(1, agent, 0).episode.slice(12)));
    expect(episodes.size).toBe(5_000);
  });

  it("use every working status and never `recovered`, which only a recovery gives", () => {
    expect([...new Set(Array.from({ length: 500 }, (_, agent) => contentsOf(1, agent, 0).status))].sort()).toEqual(["active", "failed", "idle", "paused"]);
  });

  it("have a state that is JSON and carries the sequence and the LSN", () => {
    expect(JSON.parse(stateTextOf(7, 41, 3, "0/16B3748"))).toMatchObject({ sequence: 3, lsn: "0/16B3748" });
  });

  it("are of a real agent's size: tens of MB for 30,000", () => {
    const sizes = Array.from({ length: 300 }, (_, agent) => {
      const { config, episode, outcome, task } = contentsOf(1, agent, 0);
      return configText(config).length + task.length + outcome.length + episode.length;
    });
    const average = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
    expect(average * 30_000).toBeGreaterThan(20e6);
    expect(average * 30_000).toBeLessThan(100e6);
  });
});

describe("an agent's id", () => {
  it("counts from 1 and tells the agent again", () => {
    expect(agentId(0)).toBe("agent-00001");
    expect(agentId(29_999)).toBe("agent-30000");
    expect(agentId(123_456)).toBe("agent-123457");
    for (const agent of [0, 9, 99_998, 99_999, 123_456]) expect(agentOfId(agentId(agent), 200_000)).toBe(agent);
  });

  it("of somebody else is nobody's", () => {
    for (const id of ["", "agent-00000", "agent-1", "agent-00201", "agent-000001", "agent-00001x", "Agent-00001"]) expect(agentOfId(id, 200)).toBeUndefined();
  });
});
