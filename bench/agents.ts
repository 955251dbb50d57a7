import { join } from "node:path";
import { checkpointAgents } from "../runner/agents/checkpoint.ts";
import { readBlock, readIndex } from "../runner/agents/read-checkpoint.ts";
import { recoverAgent, recoverWith } from "../runner/agents/recover.ts";
import { restoreAgents } from "../runner/agents/restore.ts";
import { openStores, type AgentStores } from "../runner/agents/stores.ts";
import type { BackupRecord } from "../runner/catalog/record.ts";
import type { RunContext } from "../runner/context.ts";
import type { RunnerConfig } from "../runner/config.ts";
import { makeFolder } from "../runner/system/files.ts";
import { lookUpProgram } from "../runner/system/programs.ts";
import { makeAuthority, issue } from "../drill/environments/certificates.ts";
import { startS3Server, type S3Server } from "../drill/environments/servers/s3.ts";
import { agentName, seedAgents } from "../test/harness/agents.ts";
import { testContext } from "../test/harness/context.ts";
import { startTestPostgres } from "../test/harness/postgres.ts";
import { startTestRedis } from "../test/harness/redis.ts";
import { temporaryFolder } from "../test/harness/temporary.ts";
import type { BenchRow } from "./row.ts";

/** The issue's scale; `AGENTS` tries another. */
const agents = Number(process.env["AGENTS"] ?? 30_000);
/** How many are recovered one after another; their mean is taken for the rest. */
const sampled = 300;
/** About 6 KiB an agent: 5 tasks, 5 episodes of 0.8 KiB, 0.6 KiB of working memory. */
const contents = { events: 5, episodeLength: 800, stateLength: 600 };

/** Two S3 servers over TLS, or two folders where there is no S3 server. */
export async function openS3(folder: string): Promise<{ servers: S3Server[]; backends: RunnerConfig["backends"] | undefined }> {
  if ((await lookUpProgram("versitygw")) === undefined) return { servers: [], backends: undefined };
  const certificate = await issue(await makeAuthority(join(folder, "ca")), { name: "s3", hosts: ["localhost", "127.0.0.1"] });
  const start = (name: string) => startS3Server({ folder: join(folder, name), port: 0, certificate, bucket: `bench-${name}`, logFile: join(folder, `${name}.log`) });
  const servers = [await start("r2"), await start("s3")];
  const backends = servers.map(({ endpoint, region, bucket, caFile, writerCredentialsFile }, place) => ({ kind: "s3" as const, name: place === 0 ? "r2" : "s3", endpoint, region, bucket, prefix: "", caFile, credentialsFile: writerCredentialsFile }));
  return { servers, backends };
}

const s = (seconds: number): string => `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;

/** The strictest loop there is: nothing to find, to fetch or to decrypt, only one agent's transaction. Seconds each. */
async function restoreOneByOne(context: RunContext, stores: AgentStores, record: BackupRecord): Promise<number> {
  const index = await readIndex(context, record, []);
  const [block] = index.blocks;
  if (block === undefined) throw new TypeError("a checkpoint of agents has a block");
  const held = await readBlock(context, record, index, block, new Set(block.agents.slice(0, sampled)), []);
  const begun = performance.now();
  for (const agent of held) await restoreAgents(stores, [agent], new Map(), new Date());
  return (performance.now() - begun) / 1_000 / held.length;
}

export async function benchAgents(): Promise<BenchRow[]> {
  const folder = await temporaryFolder("bench-agents");
  const stops: (() => Promise<unknown>)[] = [() => folder.remove()];
  try {
    const redis = await startTestRedis({ folder: await makeFolder(join(folder.path, "redis")) });
    stops.push(() => redis.kill());
    const postgres = await startTestPostgres({ folder: join(folder.path, "postgres"), settings: { fsync: "on", synchronous_commit: "on", full_page_writes: "on" } });
    stops.push(() => postgres.kill());
    const { servers, backends } = await openS3(folder.path);
    for (const server of servers) stops.push(() => server.kill());
    const context = await testContext({ folder: join(folder.path, "run"), config: { redis: redis.address("recovery"), postgres: postgres.config, ...(backends === undefined ? {} : { backends }) } });
    stops.push(() => {
      context.close();
      return Promise.resolve();
    });
    const stores = await openStores({ ...context, config: { ...context.config, redis: redis.address("admin") } }, "write");
    stops.push(() => stores.close());
    await seedAgents(stores.database, stores.redis, { agents, ...contents });

    const begun = performance.now();
    const checkpoint = await checkpointAgents(context);
    const checkpointSeconds = (performance.now() - begun) / 1_000;
    const most = Math.max(...Object.values(checkpoint.requests));

    const one = await recoverAgent(context, agentName(agents / 2));
    const all = await recoverWith(context, stores, { keepPresent: false });
    const loopBegun = performance.now();
    for (let n = 1; n <= sampled; n++) await recoverWith(context, stores, { only: [agentName(n * Math.floor(agents / sampled))], keepPresent: false });
    const each = (performance.now() - loopBegun) / 1_000 / sampled;
    const alone = await restoreOneByOne(context, stores, checkpoint.record);
    const ratio = (each * agents) / all.seconds.total;
    const where = servers.length === 0 ? "two folders (no S3 server here)" : "two S3 servers over TLS";
    return [
      { what: `all ${agents} agents recovered (${s(all.seconds.total)})`, against: `one agent after another over the same connections (${s(each * agents)}: ${sampled} measured, ${(each * 1_000).toFixed(1)} ms each)`, reach: "≥ 20 times faster", measured: `${ratio.toFixed(0)} times (${((alone * agents) / all.seconds.total).toFixed(1)} times a loop that has every agent in memory already)`, ok: ratio >= 20 && all.agents === agents },
      { what: `a checkpoint of ${agents} agents (${s(checkpointSeconds)}, ${where})`, against: "–", reach: "≤ 64 requests to a backend", measured: `${most} requests`, ok: most <= 64 && checkpoint.outcome === "ok" },
      { what: "one agent read back, its present state saved first", against: "–", reach: "≤ 1 s", measured: s(one.seconds.total), ok: one.seconds.total <= 1 },
    ];
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}
