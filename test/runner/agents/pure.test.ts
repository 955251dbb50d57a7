import { describe, expect, it } from "vitest";
import { standingOf } from "../../../runner/agents/consistency.ts";
import { agentOfKey, agentStateKey } from "../../../runner/agents/schema.ts";
import { lsnValue, parseAgentState } from "../../../runner/agents/state.ts";

describe("an agent's keys", () => {
  it("belong to the agent whose id stands in them", () => {
    expect(agentOfKey(agentStateKey("a-1.b"))).toBe("a-1.b");
    expect(agentOfKey("agent:x:queue:7")).toBe("x");
    expect(["agent:x", "agent::state", "session:x:state"].map(agentOfKey)).toEqual([undefined, undefined, undefined]);
  });
});

describe("an LSN", () => {
  it("compares as a number, not as text", () => {
    expect(lsnValue("A/0") > lsnValue("9/FFFFFFFF")).toBe(true);
    expect(lsnValue("1/10") > lsnValue("1/9")).toBe(true);
    expect(() => lsnValue("0")).toThrow(RangeError);
  });
});

describe("working memory against the agent's row", () => {
  const row = { sequence: 7n };

  it("is consistent at the same sequence, although its LSN is from behind the commit", () => {
    expect(standingOf(row, "0/200", { sequence: 7, lsn: "0/200" })).toBe("consistent");
  });

  it("is behind with a smaller sequence", () => {
    expect(standingOf(row, "0/200", { sequence: 6, lsn: "0/100" })).toBe("behind");
  });

  it("is ahead with a greater sequence, or with an LSN that the database never reached", () => {
    expect(standingOf(row, "0/200", { sequence: 8, lsn: "0/100" })).toBe("ahead");
    expect(standingOf(row, "0/200", { sequence: 7, lsn: "0/201" })).toBe("ahead");
  });
});

describe("the text of a working memory", () => {
  it("holds a sequence and an LSN beside whatever else", () => {
    expect(parseAgentState('{"sequence":3,"lsn":"0/1A","goal":"x"}')).toEqual({ sequence: 3, lsn: "0/1A", goal: "x" });
  });

  it.each(["", "[]", '{"sequence":-1,"lsn":"0/1"}', '{"sequence":1}', '{"sequence":1,"lsn":"later"}'])("is refused as %j", (text) => {
    expect(() => parseAgentState(text)).toThrow(/working memory/);
  });
});
