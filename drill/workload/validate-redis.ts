import { z } from "zod";
import { agentOfKey, agentStateKey } from "../../runner/agents/schema.ts";
import { DrError, messageOf } from "../../runner/errors.ts";
import { connectRedis, describeRedis, type RedisAddress, type RedisLink } from "../../runner/stores/redis/connection.ts";
import { secondsSince } from "../../runner/system/clock.ts";
import { agentId, agentOfId, stateTextOf } from "./contents.ts";
import { asOfHeartbeat, difference, Findings, type ExpectedState } from "./findings.ts";
import { readHeartbeat, type RedisHeartbeat } from "./redis-heartbeat.ts";
import { makeCalendar, type Calendar, type Schedule, type TickRange } from "./schedule.ts";

export interface RedisValidation {
  readonly agentsExpected: number;
  readonly agentsValid: number;
  /** The first 20. */
  readonly errors: readonly string[];
  readonly errorCount: number;
  /** Redis's own heartbeat; 0: none. */
  readonly recoveredTick: number;
  /** For `measureRpo`: Redis holds the effect of all heartbeats up to its own. */
  readonly present: readonly TickRange[];
  /** The PostgreSQL heartbeat that the working memory reflects; 0: none. */
  readonly reflects: number;
  readonly recoveredTo: Date | undefined;
  readonly seconds: number;
}

export interface RedisQuestion {
  readonly address: RedisAddress;
  readonly schedule: Schedule;
  /** Default: as of Redis's own heartbeat. */
  readonly expected?: ExpectedState;
  readonly signal?: AbortSignal;
}

const pageSize = 2_000;

/** Reads every agent's working memory and compares it with what it must be. It only reads. */
export async function validateRedis({ address, schedule, expected = asOfHeartbeat, signal }: RedisQuestion): Promise<RedisValidation> {
  const begun = performance.now();
  const link = await connectRedis(address, signal);
  try {
    const heartbeat = await heartbeatOf(link, address);
    const findings = new Findings();
    const calendar = makeCalendar(schedule);
    for (let from = 0; from < schedule.agents; from += pageSize) {
      const agents = Array.from({ length: Math.min(pageSize, schedule.agents - from) }, (_, index) => from + index);
      const answer = await link.send("MGET", ...agents.map((agent) => agentStateKey(agentId(agent))));
      const texts: readonly unknown[] = Array.isArray(answer) ? answer : [];
      for (const [index, agent] of agents.entries()) {
        const problem = stateProblem(calendar, agent, texts[index], heartbeat?.reflects ?? 0, expected);
        if (problem !== undefined) findings.add(agent, `${agentStateKey(agentId(agent))}: ${problem}`);
      }
    }
    for (const key of await strangers(link, schedule.agents)) findings.add(undefined, `${key} was never written`);
    const recoveredTick = heartbeat?.tick ?? 0;
    return {
      agentsExpected: schedule.agents, agentsValid: schedule.agents - findings.wrongAgents, errors: findings.errors, errorCount: findings.count,
      recoveredTick, present: recoveredTick === 0 ? [] : [{ first: 1, last: recoveredTick }], reflects: heartbeat?.reflects ?? 0,
      recoveredTo: heartbeat === undefined ? undefined : new Date(heartbeat.at), seconds: secondsSince(begun),
    };
  } finally {
    link.close();
  }
}

async function heartbeatOf(link: RedisLink, address: RedisAddress): Promise<RedisHeartbeat | undefined> {
  try {
    return await readHeartbeat(link);
  } catch (cause) {
    if (cause instanceof DrError) throw cause;
    throw new DrError({ kind: "failed", what: `the heartbeat in Redis is no heartbeat: ${messageOf(cause)}`, where: describeRedis(address), todo: "Recover from another copy: this one was changed.", cause });
  }
}

/** What is wrong with an agent's working memory; `undefined`: nothing. Pure. */
export function stateProblem(calendar: Calendar, agent: number, text: unknown, reflects: number, expected: ExpectedState): string | undefined {
  if (text === null || text === undefined) return "it is missing";
  if (typeof text !== "string") return `it is ${typeof text}, no text`;
  const head = /^\{"sequence":(\d+),"lsn":"([0-9A-F]{1,8}\/[0-9A-F]{1,8})",/.exec(text);
  if (head?.[1] === undefined || head[2] === undefined) return `it begins with ${JSON.stringify(text.slice(0, 40))}, not with a sequence and an LSN`;
  const sequence = Number(head[1]);
  const [from, to] = expected.kind === "as-of-heartbeat" ? [reflects, reflects] : [expected.from, expected.to];
  const [least, most] = [calendar.sequenceAt(agent, from), calendar.sequenceAt(agent, to)];
  if (sequence < least || sequence > most) return least === most ? `its sequence is ${sequence} instead of ${least}` : `its sequence is ${sequence}, not between ${least} and ${most}`;
  if (sequence > 0 && head[2] === "0/0") return `sequence ${sequence} has no LSN`;
  const made = stateTextOf(calendar.schedule.seed, agent, sequence, head[2]);
  return text === made ? undefined : `it differs ${difference(made, text)}`;
}

const scanAnswer = z.tuple([z.string(), z.array(z.string())]);

/** Keys of agents that there never were. */
async function strangers(link: RedisLink, agents: number): Promise<string[]> {
  const found: string[] = [];
  let cursor = "0";
  do {
    const [next, keys] = scanAnswer.parse(await link.send("SCAN", cursor, "MATCH", "agent:*", "COUNT", "2000"));
    cursor = next;
    for (const key of keys) {
      const id = agentOfKey(key);
      if (id === undefined || agentOfId(id, agents) === undefined || key !== agentStateKey(id)) found.push(key);
    }
  } while (cursor !== "0");
  return found;
}
