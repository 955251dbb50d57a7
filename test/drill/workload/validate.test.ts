import { describe, expect, it } from "vitest";
import { configText, contentsOf, eventOf, stateTextOf } from "../../../drill/workload/contents.ts";
import { asOfHeartbeat, difference, type ExpectedState } from "../../../drill/workload/findings.ts";
import { makeCalendar, type TickRange } from "../../../drill/workload/schedule.ts";
import { RowCheck } from "../../../drill/workload/validate-postgres.ts";
import { stateProblem } from "../../../drill/workload/validate-redis.ts";

const schedule = { seed: 11, agents: 20, perTick: 4 };
const calendar = makeCalendar(schedule);

type Agent = [string, string, string, string, string | null];
type Task = [string, string, string, string];
type Episode = [string, string, string];
interface Tables {
  agents: Agent[];
  tasks: Task[];
  episodes: Episode[];
}

/** The rows of a database that holds these heartbeats; `newest` overrides an agent's sequence. */
function tables(present: readonly TickRange[], status?: string): Tables {
  const made: Tables = { agents: [], tasks: [], episodes: [] };
  for (let agent = 0; agent < schedule.agents; agent += 1) {
    const sequences = calendar.sequencesIn(agent, present);
    const contents = contentsOf(schedule.seed, agent, sequences.at(-1) ?? 0);
    made.agents.push([contents.id, configText(contents.config), status ?? contents.status, String(contents.sequence), contents.sequence === 0 ? null : "0/1"]);
    for (const sequence of sequences) {
      const event = eventOf(schedule.seed, agent, sequence);
      made.tasks.push([contents.id, String(sequence), event.task, event.outcome]);
      made.episodes.push([contents.id, String(sequence), event.episode]);
    }
  }
  return made;
}

/** Changes one column of a row that is there. */
function set(row: (string | null)[] | undefined, column: number, value: string | null): void {
  if (row === undefined) throw new RangeError("the fault needs a row to change");
  row[column] = value;
}

function check(present: readonly TickRange[], { agents, tasks, episodes }: Tables, expected: ExpectedState = asOfHeartbeat) {
  const rows = new RowCheck(schedule, present, expected);
  rows.page(agents, tasks, episodes);
  rows.finish();
  return rows.findings;
}

const present = [{ first: 1, last: 23 }];

describe("the rows of a recovered PostgreSQL", () => {
  it("are valid as the workload wrote them", () => {
    expect(check(present, tables(present)).errors).toEqual([]);
  });

  it("are valid with the gap that a failover left", () => {
    const gap = [{ first: 1, last: 9 }, { first: 13, last: 23 }];
    expect(check(gap, tables(gap)).errors).toEqual([]);
    expect(check(present, tables(gap)).count).toBeGreaterThan(0);
  });

  it("are invalid where a heartbeat is gone but what it wrote is there", () => {
    expect(check([{ first: 1, last: 9 }, { first: 11, last: 23 }], tables(present)).wrongAgents).toBe(schedule.perTick);
  });

  const faults: [name: string, fault: (made: Tables) => void, error: RegExp][] = [
    ["a missing agent", ({ agents }) => void agents.splice(3, 1), /agents lacks agent-00004/],
    ["an agent that was never made", ({ agents }) => void agents.push(["agent-00021", "{}", "idle", "0", null]), /agent-00021, which was never made/],
    ["a changed configuration", ({ agents }) => set(agents[2], 1, "{}"), /agent-00003: config differs/],
    ["a changed status", ({ agents }) => set(agents[2], 2, "recovered"), /agent-00003: status is recovered/],
    ["an old row", ({ agents }) => set(agents[2], 3, "0"), /agent-00003: sequence is 0 instead of/],
    ["a change without an LSN", ({ agents }) => set(agents[2], 4, null), /has no LSN/],
    ["a missing task", ({ tasks }) => void tasks.splice(0, 1), /task_history has the sequences/],
    ["a changed task", ({ tasks }) => set(tasks[0], 2, "Nothing was done."), /agent-00001: task 0 differs at character/],
    ["a changed outcome", ({ tasks }) => set(tasks[0], 3, "forged"), /agent-00001: outcome 0 is forged/],
    ["a missing episode", ({ episodes }) => void episodes.splice(1, 1), /episodic_memory has the sequences/],
    ["one changed letter of an episode", ({ episodes }) => set(episodes[0], 2, eventOf(schedule.seed, 0, 0).episode.replace("a", "e")), /agent-00001: episode 0 differs at character/],
    ["an episode of nobody", ({ episodes }) => void episodes.push(["agent-00099", "0", "?"]), /episodic_memory holds rows of agent-00099/],
  ];

  it.each(faults)("are invalid with %s", (_, fault, error) => {
    const made = tables(present);
    fault(made);
    const findings = check(present, made);
    expect(findings.errors.join("\n")).toMatch(error);
  });

  it("name the first 20 errors and count the others", () => {
    const made = tables(present);
    for (const episode of made.episodes) episode[2] = "x";
    const findings = check(present, made);
    expect(findings.errors).toHaveLength(20);
    expect(findings.count).toBe(made.episodes.length);
    expect(findings.wrongAgents).toBe(schedule.agents);
  });
});

describe("agents that were recovered from a checkpoint", () => {
  const checkpoint = { kind: "from-checkpoint", from: 9, to: 11 } as const;
  const restored = tables([{ first: 1, last: 10 }], "recovered");

  it("are valid where each has a state from while the checkpoint was made", () => {
    expect(check(present, restored, checkpoint).errors).toEqual([]);
  });

  it("are invalid where the state is older or newer than the checkpoint", () => {
    expect(check(present, tables([{ first: 1, last: 3 }], "recovered"), checkpoint).errors[0]).toMatch(/sequence is \d, not between \d \(heartbeat 9\) and \d \(heartbeat 11\)/);
    expect(check(present, tables(present, "recovered"), checkpoint).count).toBeGreaterThan(0);
  });

  it("are invalid where nobody marked them as recovered", () => {
    expect(check(present, tables([{ first: 1, last: 10 }]), checkpoint).errors[0]).toMatch(/status is \w+ instead of recovered/);
  });
});

describe("an agent's working memory", () => {
  const sequence = calendar.sequenceAt(5, 23);
  const text = stateTextOf(schedule.seed, 5, sequence, "0/16B3748");
  const problem = (value: unknown, expected: ExpectedState = asOfHeartbeat) => stateProblem(calendar, 5, value, 23, expected);

  it("is valid as it was written, whatever its LSN", () => {
    expect(problem(text)).toBeUndefined();
    expect(problem(stateTextOf(schedule.seed, 5, sequence, "A/1"))).toBeUndefined();
  });

  it("is invalid when it is missing, no text, no state, changed, of another agent, or from another time", () => {
    expect(problem(null)).toBe("it is missing");
    expect(problem(7)).toBe("it is number, no text");
    expect(problem("hello")).toContain("it begins with");
    expect(problem(`${text.slice(0, -3)}0"}`)).toContain("it differs at character");
    expect(problem(stateTextOf(schedule.seed, 6, sequence, "0/1"))).toContain("it differs");
    expect(problem(stateTextOf(schedule.seed, 5, sequence - 1, "0/1"))).toBe(`its sequence is ${sequence - 1} instead of ${sequence}`);
    expect(problem(stateTextOf(schedule.seed, 5, sequence, "0/0"))).toContain("has no LSN");
  });

  it("from a checkpoint may be any state of its time", () => {
    const checkpoint = { kind: "from-checkpoint", from: 1, to: 23 } as const;
    expect(problem(stateTextOf(schedule.seed, 5, sequence - 1, "0/1"), checkpoint)).toBeUndefined();
    expect(problem(stateTextOf(schedule.seed, 5, sequence + 1, "0/1"), checkpoint)).toContain("not between");
  });
});

describe("a difference", () => {
  it("is shown where it begins", () => {
    expect(difference("the quick brown fox", "the quick green fox")).toBe('at character 10: "the quick green fox" instead of "the quick brown fox"');
  });
});
