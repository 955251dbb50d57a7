import type { Client } from "pg";
import { messageOf } from "../../runner/errors.ts";
import { configText, contentsOf } from "./contents.ts";
import { abandon, connectTo, findLeader, type PostgresPlace } from "./leader.ts";
import type { LedgerWriter } from "./ledger.ts";
import { pause } from "./pause.ts";
import type { Calendar } from "./schedule.ts";
import type { WriterConfig } from "./writer-config.ts";

export interface LoopParts {
  readonly config: WriterConfig;
  readonly calendar: Calendar;
  readonly ledger: LedgerWriter;
  readonly say: (text: string) => void;
}

export interface Acknowledged {
  readonly tick: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly lsn: string;
}

/**
 * One transaction per tick: the heartbeat, the agents' new rows, one task and one episode each. An agent that
 * somebody deleted is passed over: the workload goes on beside an operator's error, as services would.
 */
const statement = `
with beat as (insert into heartbeat (sequence, writer) values ($1, $2)),
change as (select * from unnest($3::text[], $4::bigint[], $5::jsonb[], $6::text[], $7::text[], $8::text[], $9::text[]) as c (id, sequence, config, status, task, outcome, episode)),
changed as (
  update agents a set config = c.config, status = c.status, sequence = c.sequence, lsn = pg_current_wal_insert_lsn(), updated_at = clock_timestamp()
  from change c where a.id = c.id returning a.id
),
tasks as (insert into task_history (agent_id, sequence, task, outcome) select id, sequence, task, outcome from change join changed using (id)),
episodes as (insert into episodic_memory (agent_id, sequence, content) select id, sequence, episode from change join changed using (id))
select count(*) from changed`;

/** Milliseconds between two looks for a leader. */
const retryEvery = 50;

/**
 * Writes to PostgreSQL, wherever its leader is. The number of a heartbeat whose commit was never answered may exist:
 * after each interruption the loop asks the new leader for the greatest number it holds and goes on after that and
 * after the last acknowledged one. So an acknowledged number is never written twice, what a failover lost stays a gap
 * for ever, and a number that is written again after an unanswered commit meets the primary key if it exists.
 */
export class PostgresLoop {
  /** The last heartbeat that was acknowledged. */
  acknowledged: Acknowledged | undefined;
  /** The last one that stands in the ledger, too. */
  recorded: Acknowledged | undefined;
  private readonly parts: LoopParts;
  private next = 1;
  private interrupted = false;

  constructor(parts: LoopParts) {
    this.parts = parts;
  }

  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      let client: Client | undefined;
      try {
        const leader = await findLeader(this.parts.config.postgres);
        if (leader === undefined) throw new Error("no member leads");
        client = await connectTo(leader, this.parts.config.postgres);
        await this.resume(client, leader, stop);
      } catch (error) {
        await this.interrupt(error, stop);
      } finally {
        if (client !== undefined) abandon(client);
      }
      await pause(retryEvery, stop);
    }
  }

  private async interrupt(error: unknown, stop: AbortSignal): Promise<void> {
    if (this.interrupted || stop.aborted) return;
    this.interrupted = true;
    this.parts.say(`PostgreSQL: writes are interrupted: ${messageOf(error)}`);
    await this.parts.ledger.append({ kind: "interrupted", store: "postgres", at: Date.now(), error: messageOf(error) });
  }

  /** Goes on after what `client`'s server holds, until the first error. */
  private async resume(client: Client, leader: PostgresPlace, stop: AbortSignal): Promise<void> {
    const { rows } = await client.query<{ found: string; standby: boolean }>("select coalesce(max(sequence), 0) as found, pg_is_in_recovery() as standby from heartbeat");
    if (rows[0] === undefined || rows[0].standby) throw new Error(`${leader.name} does not take writes yet`);
    const found = Number(rows[0].found);
    const before = this.acknowledged?.tick ?? 0;
    this.next = Math.max(found, before) + 1;
    let first = true;
    while (!stop.aborted) {
      const begun = performance.now();
      const acknowledged = await this.attempt(client, this.next);
      this.acknowledged = acknowledged;
      this.next += 1;
      if (first && this.interrupted) {
        await this.parts.ledger.append({ kind: "resumed", store: "postgres", at: acknowledged.at, found, acknowledged: before, server: leader.name });
        this.parts.say(`PostgreSQL: writes are accepted again by ${leader.name}: heartbeat ${acknowledged.tick}; it held ${found}, acknowledged were ${before}`);
        this.interrupted = false;
      }
      first = false;
      this.record(acknowledged);
      await pause(this.parts.config.pace.tickMilliseconds - (performance.now() - begun), stop);
    }
  }

  private async attempt(client: Client, tick: number): Promise<Acknowledged> {
    try {
      return await this.write(client, tick);
    } catch (error) {
      await this.parts.ledger.append({ kind: "unanswered", store: "postgres", tick, at: Date.now() });
      throw error;
    }
  }

  private async write(client: Client, tick: number): Promise<Acknowledged> {
    const { calendar, config } = this.parts;
    const contents = calendar.touchedAt(tick).map(({ agent, sequence }) => contentsOf(config.seed, agent, sequence));
    const column = (pick: (one: (typeof contents)[number]) => string | number) => contents.map(pick);
    await client.query({
      name: "tick",
      text: statement,
      values: [tick, "workload", column(({ id }) => id), column(({ sequence }) => sequence), column((one) => configText(one.config)), column(({ status }) => status), column(({ task }) => task), column(({ outcome }) => outcome), column(({ episode }) => episode)],
    });
    const at = Date.now();
    // Only behind the commit is there an LSN that a recovery up to it is sure to hold this heartbeat.
    const { rows } = await client.query<{ lsn: string }>({ name: "lsn", text: "select pg_current_wal_insert_lsn() as lsn" });
    return { tick, at, lsn: rows[0]?.lsn ?? "0/0" };
  }

  /** Not waited for: the flush of the ledger must not slow the workload down. A failed one ends the process. */
  private record(acknowledged: Acknowledged): void {
    void this.parts.ledger.append({ kind: "ack", store: "postgres", ...acknowledged }).then(() => {
      this.recorded = acknowledged;
    });
  }
}
