/**
 * Which agents a tick of the workload touches. Agents stand in a fixed shuffled circle; tick 1 touches the first
 * `perTick` of them, tick 2 the next, and so on round. So how often an agent was touched by a tick is arithmetic,
 * and after a recovery to any tick the content of every row is known without a journal.
 */
export interface Schedule {
  readonly seed: number;
  readonly agents: number;
  /** Agents touched by one tick; at most `agents`. */
  readonly perTick: number;
}

/** Ticks from `first` to `last`, both in it. */
export interface TickRange {
  readonly first: number;
  readonly last: number;
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/** A factor without a common divisor with `agents`, so that multiplying by it visits every agent once. */
function shuffle({ seed, agents }: Schedule): { readonly factor: number; readonly offset: number } {
  let factor = (Math.floor(agents * 0.618) + (Math.abs(seed) % 97)) % agents || 1;
  while (gcd(factor, agents) !== 1) factor = (factor % agents) + 1;
  return { factor, offset: Math.abs(seed) % agents };
}

function checked(schedule: Schedule): Schedule {
  const { agents, perTick, seed } = schedule;
  if (!Number.isSafeInteger(agents) || agents < 1 || agents > 1e7) throw new RangeError(`agents must be a whole number from 1 to 10,000,000, not ${agents}`);
  if (!Number.isSafeInteger(perTick) || perTick < 1 || perTick > agents) throw new RangeError(`perTick must be a whole number from 1 to the number of agents (${agents}), not ${perTick}`);
  if (!Number.isSafeInteger(seed)) throw new RangeError(`seed must be a whole number, not ${seed}`);
  return schedule;
}

/** One agent as a tick touches it. */
export interface Touch {
  /** From 0. */
  readonly agent: number;
  /** The agent's sequence after this tick. */
  readonly sequence: number;
}

export interface Calendar {
  readonly schedule: Schedule;
  /** The agents that `tick` (from 1) touches, each with its sequence after it. */
  touchedAt(tick: number): Touch[];
  /** How often `agent` was touched by the ticks 1 to `tick`; 0 is its state as seeded. */
  sequenceAt(agent: number, tick: number): number;
  /** The tick that gives `agent` this sequence (from 1). */
  tickOf(agent: number, sequence: number): number;
  /**
   * The sequences of `agent` whose ticks are in `present`, ascending: what its history must hold where ticks were
   * lost in a failover. Sequence 0, the seeded one, is always the first.
   */
  sequencesIn(agent: number, present: readonly TickRange[]): number[];
}

export function makeCalendar(given: Schedule): Calendar {
  const schedule = checked(given);
  const { agents, perTick } = schedule;
  const { factor, offset } = shuffle(schedule);
  const places = new Uint32Array(agents);
  const byPlace = new Uint32Array(agents);
  for (let place = 0; place < agents; place += 1) {
    const agent = (place * factor + offset) % agents;
    byPlace[place] = agent;
    places[agent] = place;
  }
  const placeOf = (agent: number): number => {
    const place = places[agent];
    if (place === undefined) throw new RangeError(`there is no agent ${agent}: they count from 0 to ${agents - 1}`);
    return place;
  };
  const sequenceAt = (agent: number, tick: number): number => Math.floor((tick * perTick - 1 - placeOf(agent)) / agents) + 1;
  const tickOf = (agent: number, sequence: number): number => Math.floor((placeOf(agent) + (sequence - 1) * agents) / perTick) + 1;
  return {
    schedule,
    sequenceAt,
    tickOf,
    touchedAt: (tick) =>
      Array.from({ length: perTick }, (_, index) => {
        const agent = byPlace[((tick - 1) * perTick + index) % agents] ?? 0;
        return { agent, sequence: sequenceAt(agent, tick) };
      }),
    sequencesIn: (agent, present) => {
      const found = [0];
      for (const { first, last } of present) {
        for (let sequence = sequenceAt(agent, first - 1) + 1; sequence <= sequenceAt(agent, last); sequence += 1) found.push(sequence);
      }
      return found;
    },
  };
}

/** Folds ascending ticks into ranges without gaps. */
export function rangesOf(ticks: Iterable<number>): TickRange[] {
  const ranges: { first: number; last: number }[] = [];
  for (const tick of ticks) {
    const open = ranges.at(-1);
    if (open !== undefined && tick === open.last + 1) open.last = tick;
    else ranges.push({ first: tick, last: tick });
  }
  return ranges;
}

export const inRanges = (tick: number, ranges: readonly TickRange[]): boolean => ranges.some(({ first, last }) => first <= tick && tick <= last);
