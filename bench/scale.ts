import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "pg";
import { formatDuration, formatSize, mib } from "../plan/units.ts";
import type { RedisLink } from "../runner/stores/redis/connection.ts";
import { makeFolder, writeDurably } from "../runner/system/files.ts";
import { startServer } from "../runner/system/process.ts";
import { waitFor } from "../runner/system/wait.ts";
import { agentName, seedAgents } from "../test/harness/agents.ts";
import { startTestPostgres } from "../test/harness/postgres.ts";
import { startTestRedis } from "../test/harness/redis.ts";
import { temporaryFolder } from "../test/harness/temporary.ts";
import { openS3 } from "./agents.ts";
import type { BenchRow } from "./row.ts";

/** What the plan has, and ten times that; `AGENTS` tries others, e.g. `AGENTS=1000,30000`. */
const sizes = (process.env["AGENTS"] ?? "30000,300000").split(",").map(Number);
/** As in the bench of agents, about 6 KiB each: 5 tasks, 5 episodes of 0.8 KiB, 0.6 KiB of working memory. */
const contents = { events: 5, stateLength: 600 };
/** Episodes' texts that differ, of 25 times 33 characters: making millions takes longer than what is measured. */
const texts = 5_000;
const memoryLimit = mib(512);
/** Seconds; a bench ends by its figures and not by a clock. */
const deadline = 3_600;

interface Measured {
  readonly seconds: number;
  /** The most memory that the process ever had resident, in bytes. */
  readonly peak: number;
  readonly result: Readonly<Record<string, unknown>>;
}

/** The command in a process of its own, so that its memory is its own: the kernel keeps its high-water mark. */
async function dr(folder: string, role: string, args: readonly string[]): Promise<Measured> {
  const logFile = join(folder, `${args.join("-")}-${Date.now()}.json`);
  const begun = performance.now();
  const command = await startServer("dr", process.execPath, [join(import.meta.dirname, "../cli/dr.ts"), "--config", join(folder, `${role}.json`), "--json", "--quiet", ...args], { logFile });
  let peakKib = 0;
  await waitFor(`the end of dr ${args.join(" ")}`, async () => {
    const status = await readFile(`/proc/${command.pid}/status`, "utf8").catch(() => "");
    peakKib = Math.max(peakKib, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
    return !command.running();
  }, { within: deadline, every: 0.05 });
  const seconds = (performance.now() - begun) / 1_000;
  const text = await readFile(logFile, "utf8");
  if (!text.startsWith("{")) throw new Error(text);
  return { seconds, peak: peakKib * 1024, result: JSON.parse(text) as Record<string, unknown> };
}

/** Agents checkpointed into two S3 servers and brought back into empty stores, each by the command. */
async function measure(agents: number): Promise<BenchRow[]> {
  const folder = await temporaryFolder("bench-scale");
  const stops: (() => unknown)[] = [() => folder.remove()];
  try {
    const redis = await startTestRedis({ folder: await makeFolder(join(folder.path, "redis")) });
    stops.push(() => redis.kill());
    const postgres = await startTestPostgres({ folder: join(folder.path, "postgres") });
    stops.push(() => postgres.kill());
    const { servers, backends } = await openS3(folder.path);
    for (const server of servers) stops.push(() => server.kill());
    await writeDurably(join(folder.path, "passphrase"), "correct horse\n", { mode: 0o600 });
    const folders = await Promise.all(["r2", "s3"].map(async (name) => ({ kind: "folder", name, path: await makeFolder(join(folder.path, `folder-${name}`)) })));
    for (const role of ["backup", "recovery"] as const) {
      await writeDurably(join(folder.path, `${role}.json`), JSON.stringify({ workDirectory: join(folder.path, "work"), passphraseFile: join(folder.path, "passphrase"), backends: backends ?? folders, redis: redis.address(role), postgres: postgres.config }));
    }
    const database = await postgres.connect();
    stops.push(() => database.end());
    const link = await redis.connect();
    stops.push(() => link.close());
    await seed(database, link, agents);

    const checkpoint = await dr(folder.path, "backup", ["backup", "agents", "checkpoint"]);
    await loseEverything(database, link);
    const recovery = await dr(folder.path, "recovery", ["recover", "agents"]);
    const isBack = await isAllBack(database, link, agents);
    const where = servers.length === 0 ? "two folders (no S3 server here)" : "two S3 servers";
    const record = checkpoint.result["record"] as { readonly sourceBytes: number; readonly objects: readonly { readonly bytes: number }[] };
    const stored = record.objects.reduce((sum, { bytes }) => sum + bytes, 0);
    const requests = Math.max(...Object.values(checkpoint.result["requests"] as Record<string, number>));
    return [
      row(`checkpoint of ${agents} agents into ${where}`, checkpoint, agents, `${formatSize(record.sourceBytes)} read, ${formatSize(stored)} stored in each, ${requests} requests to a backend`, checkpoint.result["outcome"] === "ok"),
      row(`recovery of ${agents} agents into empty stores`, recovery, agents, `${String(recovery.result["keys"])} keys, ${String(recovery.result["episodes"])} episodes, ${String(recovery.result["tasks"])} tasks`, isBack),
    ];
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

/** Everything but the episodes as the tests do it, and these from a stock of texts. */
export async function seed(database: Client, redis: RedisLink, agents: number): Promise<void> {
  await seedAgents(database, redis, { agents, ...contents, events: 0 });
  await database.query(`create unlogged table texts as select n, (select string_agg(md5(n || '/' || part), ' ') from generate_series(1, 25) as part) as content from generate_series(1, ${texts}) as n`);
  await database.query("insert into task_history select a.id, e, 'task ' || e || ' of ' || a.id, 'done', '2026-11-22 10:00:00.654321+00' from agents a, generate_series(1, $1::int) as e order by a.id, e", [contents.events]);
  await database.query("insert into episodic_memory select a.id, e, t.content, '2026-11-22 10:00:00.000001+00' from agents a cross join generate_series(1, $1::int) as e join texts t on t.n = ((hashtext(a.id) & 1073741823) + e) % $2::int + 1 order by a.id, e", [contents.events, texts]);
  await database.query("drop table texts");
  await database.query("analyze");
}

async function loseEverything(database: Client, redis: RedisLink): Promise<void> {
  await database.query("truncate agents, task_history, episodic_memory");
  await redis.send("FLUSHALL");
}

async function isAllBack(database: Client, redis: RedisLink, agents: number): Promise<boolean> {
  const { rows } = await database.query<{ agents: number; episodes: number; tasks: number }>("select (select count(*)::int from agents where status = 'recovered') as agents, (select count(*)::int from episodic_memory) as episodes, (select count(*)::int from task_history) as tasks");
  const [found] = rows;
  const state = String(await redis.send("GET", `agent:${agentName(agents)}:state`));
  return found?.agents === agents && found.episodes === contents.events * agents && found.tasks === contents.events * agents && Number(await redis.send("DBSIZE")) === agents && state.includes(agentName(agents));
}

function row(what: string, { seconds, peak }: Measured, agents: number, volume: string, isRight: boolean): BenchRow {
  return {
    what,
    against: "–",
    reach: `≤ ${formatSize(memoryLimit)} resident`,
    measured: `${formatSize(peak)}, ${formatDuration(seconds)} (${Math.round(agents / seconds)} agents a second), ${volume}`,
    ok: isRight && peak <= memoryLimit,
  };
}

export async function benchScale(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const agents of sizes) rows.push(...(await measure(agents)));
  return rows;
}
