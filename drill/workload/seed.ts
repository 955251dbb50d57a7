import { once } from "node:events";
import { agentStateKey } from "../../runner/agents/schema.ts";
import { connectRedis } from "../../runner/stores/redis/connection.ts";
import { stream } from "../../runner/system/process.ts";
import { findProgram } from "../../runner/system/programs.ts";
import { agentId, configText, eventOf, stateOf, stateTextOf } from "./contents.ts";

export interface SeedOptions {
  readonly agents: number;
  readonly seed: number;
  /** The leader, reached over its Unix socket as the superuser. */
  readonly postgres: { readonly socketDirectory: string; readonly postgresPort: number };
  readonly database: string;
  /** The Redis primary, on 127.0.0.1, and its user. */
  readonly redis: { readonly port: number; readonly user: string; readonly passwordFile: string };
  /** How many agents are written so far; the last call says all. */
  readonly report?: (agents: number) => void;
  readonly signal?: AbortSignal;
}

/** Agents that are made, written and reported at a time. */
const batch = 1_000;
/** Seconds. */
const deadline = 300;
/** The LSN that a seeded state carries: before any change. */
const seededLsn = "0/0";

/** Makes every agent as sequence 0 has it. PostgreSQL takes it by COPY, the quickest way in; Redis by MSET. */
export async function seedAgents(options: SeedOptions): Promise<void> {
  await Promise.all([seedPostgres(options), seedRedis(options)]);
}

/** One column of COPY's text format. */
const field = (text: string): string => (/[\\\t\n\r]/.test(text) ? text.replace(/[\\]/g, "\\\\").replace(/\t/g, "\\t").replace(/\n/g, "\\n").replace(/\r/g, "\\r") : text);
const line = (...columns: readonly string[]): string => `${columns.map(field).join("\t")}\n`;

async function seedPostgres({ agents, seed, report, ...options }: SeedOptions): Promise<void> {
  // The events refer to the agents, who must be committed before; the two kinds of event go in at once.
  await copy(options, "agents (id, config, status, sequence)", agents, (agent) => {
    const { id, config, status } = stateOf(seed, agent, 0);
    return line(id, configText(config), status, "0");
  });
  await Promise.all([
    copy(options, "task_history (agent_id, sequence, task, outcome)", agents, (agent) => {
      const { task, outcome } = eventOf(seed, agent, 0);
      return line(agentId(agent), "0", task, outcome);
    }),
    copy(options, "episodic_memory (agent_id, sequence, content)", agents, (agent) => line(agentId(agent), "0", eventOf(seed, agent, 0).episode), report),
  ]);
}

type Target = Pick<SeedOptions, "postgres" | "database" | "signal">;

async function copy({ postgres, database, signal }: Target, table: string, agents: number, row: (agent: number) => string, report?: (agents: number) => void): Promise<void> {
  const args = ["--no-psqlrc", "--quiet", "-v", "ON_ERROR_STOP=1", "-h", postgres.socketDirectory, "-p", String(postgres.postgresPort), "-U", "postgres", "-d", database, "-c", `copy ${table} from stdin`];
  const psql = stream(await findProgram("psql"), args, { deadline, ...(signal === undefined ? {} : { signal }) });
  psql.stdout.resume();
  const ended = psql.done.then(
    () => true,
    () => true, // told by the await at the end
  );
  for (let from = 0; from < agents; from += batch) {
    const to = Math.min(agents, from + batch);
    let text = "";
    for (let agent = from; agent < to; agent += 1) text += row(agent);
    if (!psql.stdin.write(text) && (await Promise.race([once(psql.stdin, "drain").then(() => false), ended]))) break;
    report?.(to);
  }
  psql.stdin.end();
  await psql.done;
}

async function seedRedis({ agents, seed, redis, signal }: SeedOptions): Promise<void> {
  const link = await connectRedis({ host: "127.0.0.1", ...redis }, signal);
  try {
    for (let from = 0; from < agents; from += batch) {
      const pairs = Array.from({ length: Math.min(batch, agents - from) }, (_, index) => [agentStateKey(agentId(from + index)), stateTextOf(seed, from + index, 0, seededLsn)]);
      await link.send("MSET", ...pairs.flat());
    }
  } finally {
    link.close();
  }
}
