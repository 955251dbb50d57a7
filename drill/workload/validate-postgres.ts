import { setImmediate } from "node:timers/promises";
import { Client } from "pg";
import { readSecret, type PostgresConfig } from "../../runner/config.ts";
import { secondsSince } from "../../runner/system/clock.ts";
import { agentId, agentOfId, configText, eventOf, stateOf } from "./contents.ts";
import { asOfHeartbeat, difference, Findings, type ExpectedState } from "./findings.ts";
import { makeCalendar, rangesOf, type Calendar, type Schedule, type TickRange } from "./schedule.ts";

export type PostgresAddress = Pick<PostgresConfig, "host" | "port" | "user" | "database" | "passwordFile">;

export interface PostgresValidation {
  readonly agentsExpected: number;
  readonly agentsValid: number;
  /** The first 20. */
  readonly errors: readonly string[];
  readonly errorCount: number;
  /** The greatest heartbeat in the database; 0: none. */
  readonly recoveredTick: number;
  /** All heartbeats in it. */
  readonly present: readonly TickRange[];
  /** When the greatest one was written, by the server's clock. */
  readonly recoveredTo: Date | undefined;
  readonly rows: number;
  readonly databaseBytes: number;
  readonly seconds: number;
}

export interface PostgresQuestion {
  readonly address: PostgresAddress;
  readonly schedule: Schedule;
  /** Default: as of the database's own heartbeat. */
  readonly expected?: ExpectedState;
  readonly report?: (agents: number) => void;
  readonly signal?: AbortSignal;
}

/** Agents that are read and compared at a time. */
const pageSize = 2_000;
const statementTimeout = 60_000; // ms

type AgentRow = readonly [id: string, config: string, status: string, sequence: string, lsn: string | null];
type TaskRow = readonly [agent: string, sequence: string, task: string, outcome: string];
type EpisodeRow = readonly [agent: string, sequence: string, content: string];

/**
 * Reads every row of the agents and compares what it says with what it must say. It only reads, and works on a
 * server that may only be read. Throws where the server does not answer or has no such tables.
 */
export async function validatePostgres({ address, schedule, expected = asOfHeartbeat, report, signal }: PostgresQuestion): Promise<PostgresValidation> {
  const begun = performance.now();
  const { passwordFile, ...where } = address;
  const password = passwordFile === undefined ? {} : { password: await readSecret(passwordFile, "the password of PostgreSQL") };
  const client = new Client({ ...where, ...password, application_name: "validation", connectionTimeoutMillis: 10_000, query_timeout: statementTimeout });
  client.on("error", () => undefined); // the query that is under way rejects with the same error
  await client.connect();
  try {
    await client.query("begin transaction isolation level repeatable read, read only"); // one state, although the workload may go on
    const beats = await readHeartbeats(client);
    const check = new RowCheck(schedule, beats.present, expected);
    await eachPage(client, check, { report, signal });
    check.finish();
    const { rows: sizes } = await client.query<{ bytes: string }>("select pg_database_size(current_database()) as bytes");
    const { findings, rows } = check;
    return { ...beats, agentsExpected: schedule.agents, agentsValid: schedule.agents - findings.wrongAgents, errors: findings.errors, errorCount: findings.count, rows, databaseBytes: Number(sizes[0]?.bytes ?? 0), seconds: secondsSince(begun) };
  } finally {
    await client.end();
  }
}

async function readHeartbeats(client: Client): Promise<Pick<PostgresValidation, "recoveredTick" | "present" | "recoveredTo">> {
  const { rows } = await client.query<[tick: string]>({ text: "select sequence from heartbeat order by sequence", rowMode: "array" });
  const { rows: last } = await client.query<{ at: Date }>("select written_at as at from heartbeat order by sequence desc limit 1");
  const present = rangesOf(rows.map(([tick]) => Number(tick)));
  return { present, recoveredTick: present.at(-1)?.last ?? 0, recoveredTo: last[0]?.at };
}

interface Watching {
  readonly report: ((agents: number) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

async function rowsOf<R extends readonly unknown[]>(client: Client, name: string, text: string, values: readonly string[]): Promise<R[]> {
  const { rows } = await client.query<R & unknown[]>({ name, text, values: [...values], rowMode: "array" });
  return rows;
}

interface Page {
  readonly agents: readonly AgentRow[];
  readonly tasks: readonly TaskRow[];
  readonly episodes: readonly EpisodeRow[];
  /** The greatest key among its agents; `undefined` behind the last agent. */
  readonly last: string | undefined;
}

/** The agents behind a key, and the events that lie between the page's first and last key. */
async function readPage(client: Client, after: string): Promise<Page> {
  const agents = await rowsOf<AgentRow>(client, "agents", `select id, config::text, status, sequence, lsn::text from agents where id > $1 order by id limit ${pageSize}`, [after]);
  const last = agents.at(-1)?.[0];
  // Behind the last agent there must be no events either: rows without their agent are looked for, too.
  const [span, values] = last === undefined ? ["agent_id > $1", [after]] : ["agent_id > $1 and agent_id <= $2", [after, last]];
  const kind = last === undefined ? "rest of" : "page of";
  const [tasks, episodes] = await Promise.all([
    rowsOf<TaskRow>(client, `${kind} tasks`, `select agent_id, sequence, task, outcome from task_history where ${span} order by agent_id, sequence`, values),
    rowsOf<EpisodeRow>(client, `${kind} episodes`, `select agent_id, sequence, content from episodic_memory where ${span} order by agent_id, sequence`, values),
  ]);
  return { agents, tasks, episodes, last };
}

/** Goes through the agents by their key, page by page; the server reads the next page while this one is compared. */
async function eachPage(client: Client, check: RowCheck, { report, signal }: Watching): Promise<void> {
  let done = 0;
  let ahead = readPage(client, "");
  for (;;) {
    const { last, ...page } = await ahead;
    signal?.throwIfAborted();
    if (last !== undefined) {
      ahead = readPage(client, last);
      ahead.catch(() => undefined); // told by the await above, unless the comparison fails first
      await setImmediate(); // the question must leave before the comparison keeps this thread
    }
    check.page(page.agents, page.tasks, page.episodes);
    done += page.agents.length;
    report?.(done);
    if (last === undefined) return;
  }
}

/** Compares rows with the function that made them. Pure but for what it remembers. */
export class RowCheck {
  readonly findings = new Findings();
  rows = 0;
  private readonly calendar: Calendar;
  private readonly seen: Uint8Array;

  private readonly schedule: Schedule;
  private readonly present: readonly TickRange[];
  private readonly expected: ExpectedState;

  constructor(schedule: Schedule, present: readonly TickRange[], expected: ExpectedState) {
    this.schedule = schedule;
    this.present = present;
    this.expected = expected;
    this.calendar = makeCalendar(schedule);
    this.seen = new Uint8Array(schedule.agents);
  }

  page(agents: readonly AgentRow[], tasks: readonly TaskRow[], episodes: readonly EpisodeRow[]): void {
    this.rows += agents.length + tasks.length + episodes.length;
    const tasksOf = byAgent(tasks);
    const episodesOf = byAgent(episodes);
    for (const row of agents) {
      const [id] = row;
      const agent = agentOfId(id, this.schedule.agents);
      if (agent === undefined) this.findings.add(undefined, `agents holds ${id}, which was never made`);
      else this.agent(agent, row, tasksOf.get(id) ?? [], episodesOf.get(id) ?? []);
      tasksOf.delete(id);
      episodesOf.delete(id);
    }
    for (const id of tasksOf.keys()) this.findings.add(agentOfId(id, this.schedule.agents), `task_history holds rows of ${id}, whom agents does not hold`);
    for (const id of episodesOf.keys()) this.findings.add(agentOfId(id, this.schedule.agents), `episodic_memory holds rows of ${id}, whom agents does not hold`);
  }

  /** Whoever was not seen is missing. */
  finish(): void {
    for (let agent = 0; agent < this.schedule.agents; agent += 1) if (this.seen[agent] !== 1) this.findings.add(agent, `agents lacks ${agentId(agent)}`);
  }

  private agent(agent: number, [id, config, status, sequenceText, lsn]: AgentRow, tasks: readonly TaskRow[], episodes: readonly EpisodeRow[]): void {
    this.seen[agent] = 1;
    const wrong = (error: string) => this.findings.add(agent, `${id}: ${error}`);
    const sequence = Number(sequenceText);
    const sequences = this.sequencesOf(agent, sequence, wrong);
    const contents = stateOf(this.schedule.seed, agent, sequence);
    const recovered = this.expected.kind === "from-checkpoint";
    if (config !== configText(contents.config)) wrong(`config differs ${difference(configText(contents.config), config)}`);
    if (status !== (recovered ? "recovered" : contents.status)) wrong(`status is ${status} instead of ${recovered ? "recovered" : contents.status}`);
    if (sequence > 0 && lsn === null) wrong(`sequence ${sequence} has no LSN`);
    this.events(agent, sequences, tasks, episodes, wrong);
  }

  /** The sequences whose events the agent must have, when its row says `sequence`. */
  private sequencesOf(agent: number, sequence: number, wrong: (error: string) => void): number[] {
    const all = this.calendar.sequencesIn(agent, this.present);
    if (this.expected.kind === "as-of-heartbeat") {
      const newest = all.at(-1) ?? 0;
      if (sequence !== newest) wrong(`sequence is ${sequence} instead of ${newest}`);
      return all;
    }
    const { from, to } = this.expected;
    const [least, most] = [this.calendar.sequenceAt(agent, from), this.calendar.sequenceAt(agent, to)];
    if (sequence < least || sequence > most) wrong(`sequence is ${sequence}, not between ${least} (heartbeat ${from}) and ${most} (heartbeat ${to})`);
    return all.filter((one) => one <= sequence);
  }

  private events(agent: number, sequences: readonly number[], tasks: readonly TaskRow[], episodes: readonly EpisodeRow[], wrong: (error: string) => void): void {
    if (!sameSequences(tasks, sequences)) wrong(`task_history has the sequences ${list(tasks)} instead of ${sequences.join(" ")}`);
    if (!sameSequences(episodes, sequences)) wrong(`episodic_memory has the sequences ${list(episodes)} instead of ${sequences.join(" ")}`);
    for (const [, sequence, task, outcome] of tasks) {
      const made = eventOf(this.schedule.seed, agent, Number(sequence));
      if (task !== made.task) wrong(`task ${sequence} differs ${difference(made.task, task)}`);
      if (outcome !== made.outcome) wrong(`outcome ${sequence} is ${outcome} instead of ${made.outcome}`);
    }
    for (const [, sequence, content] of episodes) {
      const made = eventOf(this.schedule.seed, agent, Number(sequence));
      if (content !== made.episode) wrong(`episode ${sequence} differs ${difference(made.episode, content)}`);
    }
  }
}

type Event = readonly [agent: string, sequence: string, ...rest: readonly string[]];
const list = (rows: readonly Event[]): string => rows.map(([, sequence]) => sequence).join(" ") || "(none)";
const sameSequences = (rows: readonly Event[], sequences: readonly number[]): boolean => rows.length === sequences.length && sequences.every((sequence, index) => Number(rows[index]?.[1]) === sequence);

function byAgent<R extends Event>(rows: readonly R[]): Map<string, R[]> {
  const groups = new Map<string, R[]>();
  for (const row of rows) {
    const group = groups.get(row[0]);
    if (group === undefined) groups.set(row[0], [row]);
    else group.push(row);
  }
  return groups;
}
