import { agentStatuses, type AgentState, type AgentStatus } from "../../runner/agents/schema.ts";

/**
 * What an agent holds is a function of (seed, agent, sequence) and of nothing else, so that after a recovery every
 * row can be checked for what it says. Sizes are those of a real agent: about 0.4 KiB of configuration, 0.2 KiB per
 * task, 0.8 KiB per episode, 0.6 KiB of working memory.
 */
export interface AgentContents {
  readonly id: string;
  readonly sequence: number;
  readonly config: AgentConfiguration;
  readonly status: AgentStatus;
  readonly task: string;
  readonly outcome: string;
  readonly episode: string;
}

export interface AgentConfiguration {
  readonly model: string;
  readonly tools: readonly string[];
  readonly limits: { readonly tokens: number; readonly seconds: number };
  readonly persona: string;
  readonly revision: number;
  readonly temperature: number;
}

/** `agent-00001` for the agent 0. */
export const agentId = (agent: number): string => `agent-${String(agent + 1).padStart(5, "0")}`;

/** The agent of an id; `undefined` where no agent of the workload has it. */
export function agentOfId(id: string, agents: number): number | undefined {
  const agent = Number(/^agent-(\d{5,8})$/.exec(id)?.[1] ?? 0) - 1;
  return agent >= 0 && agent < agents && agentId(agent) === id ? agent : undefined;
}

const models = ["lucidia-small", "lucidia-large", "cecilia-2", "octavia-7b"] as const;
const tools = ["browser", "calendar", "code", "database", "mail", "payments", "planner", "search", "shell", "vision"] as const;
const working = agentStatuses.filter((status) => status !== "recovered");
const outcomes = ["done", "done after a retry", "handed over", "declined", "failed: no answer in time"] as const;
const subjects = ["The customer", "A colleague", "The planner", "The upstream service", "The reviewer", "Another agent", "The operator", "The ledger"] as const;
const deeds = ["asked for the invoice of", "confirmed the delivery of", "questioned the figures for", "returned the draft about", "closed the ticket on", "moved the deadline of", "added three sources to", "found a contradiction in"] as const;
const objects = ["the quarterly forecast", "the Rotterdam shipment", "the onboarding guide", "the incident of last night", "the data set on prices", "the contract's second annex", "the release notes", "the test farm"] as const;
const lessons = ["Next time ask first", "It had been seen before", "No further step is needed", "The pattern repeats every week", "Two accounts disagree", "The source is to be trusted", "This changes the plan", "The reason stays unknown"] as const;

/** A small fast generator (xorshift32): the same numbers on every machine, which Math.random never gives. */
class Draw {
  private state: number;

  constructor(seed: number, agent: number, sequence: number, salt: number) {
    let mixed = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(agent + 1, 0xc2b2ae35) ^ Math.imul(sequence + 1, 0x27d4eb2f) ^ Math.imul(salt + 1, 0x165667b1);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
    mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39);
    this.state = (mixed ^ (mixed >>> 15)) | 0 || 0x1234567;
  }

  /** 32 bits, unsigned. */
  word(): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return this.state >>> 0;
  }

  below(limit: number): number {
    return this.word() % limit;
  }

  one<T>(list: readonly [T, ...T[]] | readonly T[]): T {
    const found = list[this.below(list.length)];
    if (found === undefined) throw new RangeError("nothing can be drawn from an empty list");
    return found;
  }

  hex(): string {
    return this.word().toString(16).padStart(8, "0");
  }
}

const sentence = (draw: Draw): string => `${draw.one(subjects)} ${draw.one(deeds)} ${draw.one(objects)} (${draw.hex()}). ${draw.one(lessons)}.`;
const sentences = (draw: Draw, count: number): string => Array.from({ length: count }, () => sentence(draw)).join(" ");

/** What PostgreSQL holds of `agent` (from 0) at `sequence`: its row, and what that sequence added. Pure. */
export const contentsOf = (seed: number, agent: number, sequence: number): AgentContents => ({ ...stateOf(seed, agent, sequence), ...eventOf(seed, agent, sequence) });

/** The row of `agent` alone. Pure. */
export function stateOf(seed: number, agent: number, sequence: number): Pick<AgentContents, "id" | "sequence" | "config" | "status"> {
  const draw = new Draw(seed, agent, sequence, 1);
  return {
    id: agentId(agent),
    sequence,
    status: draw.one(working),
    config: {
      model: draw.one(models),
      tools: tools.filter(() => draw.below(3) > 0),
      limits: { tokens: 1_000 * (1 + draw.below(200)), seconds: 30 + draw.below(600) },
      persona: sentences(draw, 2),
      revision: sequence,
      temperature: draw.below(20) / 10,
    },
  };
}

/** The row of the task history and the episode that `sequence` added. Pure. */
export function eventOf(seed: number, agent: number, sequence: number): Pick<AgentContents, "task" | "outcome" | "episode"> {
  const draw = new Draw(seed, agent, sequence, 2);
  return { task: `${agentId(agent)}/${sequence}: ${sentence(draw)}`, outcome: draw.one(outcomes), episode: `${agentId(agent)}#${sequence} ${sentences(draw, 7)}` };
}

/** What Redis holds at `agent:ID:state`, as JSON text. Pure. */
export function stateTextOf(seed: number, agent: number, sequence: number, lsn: string): string {
  const draw = new Draw(seed, agent, sequence, 3);
  const state: AgentState = { sequence, lsn, goal: sentence(draw), scratchpad: sentences(draw, 4), turn: draw.below(1_000), trace: `${draw.hex()}${draw.hex()}` };
  return JSON.stringify(state);
}

/** The configuration as PostgreSQL prints jsonb: keys by length and then by bytes, a space after each colon and comma. */
export function configText({ model, tools: own, limits, persona, revision, temperature }: AgentConfiguration): string {
  const list = own.map((tool) => `"${tool}"`).join(", ");
  return `{"model": "${model}", "tools": [${list}], "limits": {"tokens": ${limits.tokens}, "seconds": ${limits.seconds}}, "persona": ${JSON.stringify(persona)}, "revision": ${revision}, "temperature": ${temperature}}`;
}
