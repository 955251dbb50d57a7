import { agentStateKey } from "../../runner/agents/schema.ts";
import { messageOf } from "../../runner/errors.ts";
import { connectRedis, type RedisLink } from "../../runner/stores/redis/connection.ts";
import { agentId, stateTextOf } from "./contents.ts";
import { pause } from "./pause.ts";
import { heartbeatKey, readHeartbeat, type RedisHeartbeat } from "./redis-heartbeat.ts";
import type { Acknowledged, LoopParts } from "./postgres-loop.ts";

export interface RedisLoopParts extends LoopParts {
  /** The last PostgreSQL heartbeat that stands in the ledger. */
  readonly progress: () => Acknowledged | undefined;
}

const retryEvery = 50;
/** Milliseconds: a server that hangs is given up. */
const answerWithin = 2_000;
/** PostgreSQL heartbeats whose agents are written at a time: a Redis that comes back far behind is caught up in steps. */
const ticksAtOnce = 200;

async function inTime<T>(link: RedisLink, work: Promise<T>): Promise<T> {
  const timer = setTimeout(() => link.close(), answerWithin); // rejects what is under way
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Writes the working memory that follows PostgreSQL's commits, and a numbered heartbeat with it, in one MULTI: the
 * heartbeat tells exactly which state every agent has. After an interruption it goes on from what the new primary
 * holds, and writes again whatever that one lacks.
 */
export class RedisLoop {
  private readonly parts: RedisLoopParts;
  private acknowledged = 0;
  private interrupted = false;

  constructor(parts: RedisLoopParts) {
    this.parts = parts;
  }

  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      let link: RedisLink | undefined;
      try {
        const port = await this.findPrimary();
        link = await connectRedis({ host: "127.0.0.1", port, ...this.parts.config.redis });
        await this.resume(link, port, stop);
      } catch (error) {
        await this.interrupt(error, stop);
      } finally {
        link?.close();
      }
      await pause(retryEvery, stop);
    }
  }

  private async findPrimary(): Promise<number> {
    const { masterName, sentinelPorts } = this.parts.config.redis;
    const said: string[] = [];
    for (const port of sentinelPorts) {
      let link: RedisLink | undefined;
      try {
        link = await connectRedis({ host: "127.0.0.1", port, user: "default" });
        const answer = await inTime(link, link.send("SENTINEL", "get-master-addr-by-name", masterName));
        if (Array.isArray(answer)) return Number(answer[1]);
        said.push(`${port}: knows no ${masterName}`);
      } catch (error) {
        said.push(`${port}: ${messageOf(error)}`);
      } finally {
        link?.close();
      }
    }
    throw new Error(`no Sentinel says where the primary is: ${said.join("; ")}`);
  }

  private async interrupt(error: unknown, stop: AbortSignal): Promise<void> {
    if (this.interrupted || stop.aborted) return;
    this.interrupted = true;
    this.parts.say(`Redis: writes are interrupted: ${messageOf(error)}`);
    await this.parts.ledger.append({ kind: "interrupted", store: "redis", at: Date.now(), error: messageOf(error) });
  }

  private async resume(link: RedisLink, port: number, stop: AbortSignal): Promise<void> {
    const held = await inTime(link, readHeartbeat(link));
    const found = held?.tick ?? 0;
    const before = this.acknowledged;
    let reflects = held?.reflects ?? 0;
    let next = Math.max(found, before) + 1;
    let first = true;
    while (!stop.aborted) {
      const begun = performance.now();
      const newest = this.parts.progress();
      if (newest !== undefined) {
        const until = Math.min(newest.tick, reflects + ticksAtOnce);
        await this.attempt(link, next, this.commands(next, reflects, until, newest.lsn));
        const at = Date.now();
        reflects = until;
        this.acknowledged = next;
        if (first && this.interrupted) {
          await this.parts.ledger.append({ kind: "resumed", store: "redis", at, found, acknowledged: before, server: `port ${port}` });
          this.parts.say(`Redis: writes are accepted again on port ${port}: heartbeat ${next}; it held ${found}, acknowledged were ${before}`);
          this.interrupted = false;
        }
        first = false;
        void this.parts.ledger.append({ kind: "ack", store: "redis", tick: next, at, reflects });
        next += 1;
      }
      await pause(this.parts.config.pace.tickMilliseconds - (performance.now() - begun), stop);
    }
  }

  private async attempt(link: RedisLink, tick: number, commands: readonly string[][]): Promise<void> {
    try {
      await inTime(link, link.transaction(commands));
    } catch (error) {
      await this.parts.ledger.append({ kind: "unanswered", store: "redis", tick, at: Date.now() });
      throw error;
    }
  }

  /** The heartbeat and the state of every agent that the PostgreSQL heartbeats after `from` up to `to` changed. */
  private commands(tick: number, from: number, to: number, lsn: string): string[][] {
    const { calendar, config } = this.parts;
    const sequences = new Map<number, number>();
    for (let heartbeat = from + 1; heartbeat <= to; heartbeat += 1) for (const { agent, sequence } of calendar.touchedAt(heartbeat)) sequences.set(agent, sequence);
    const states = [...sequences].map(([agent, sequence]) => ["SET", agentStateKey(agentId(agent)), stateTextOf(config.seed, agent, sequence, lsn)]);
    const heartbeat: RedisHeartbeat = { tick, reflects: Math.max(from, to), at: Date.now() };
    return [["SET", heartbeatKey, JSON.stringify(heartbeat)], ...states];
  }
}
