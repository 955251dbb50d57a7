import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { bytes, seconds, type Duration, type Size } from "../plan/units.ts";
import { waitFor } from "../runner/system/wait.ts";
import { withDatabase } from "./environments/local/database.ts";
import { backupResultSchema, type Stage } from "./stage.ts";

/** What the scheduler runs through a drill; the others' intervals are longer than a drill, even scaled. */
const jobsOfADrill = ["postgres-incremental", "redis-snapshot"] as const;

export interface Protection {
  /** Files of the database, in bytes, as the backup counted them. */
  readonly postgresSize: Size;
  readonly redisSize: Size;
  /** Where the full backup began: what a recovery replays from. */
  readonly startLsn: string;
  /** The longest time from a closed WAL segment to both stores, as measured here, with a margin. */
  readonly push: Duration;
}

async function backUp(stage: Stage, store: string, args: readonly string[]): Promise<{ readonly bytes: number; readonly lsn: string | undefined }> {
  const { data } = await stage.dr(args);
  const { record } = backupResultSchema.parse(data);
  stage.backups.set(store, record.id);
  return { bytes: record.sourceBytes, lsn: record.watermark.lsn };
}

/** Makes the backups that production always has, proves each copy by restoring it, and starts the jobs. */
export async function protect(stage: Stage): Promise<Protection> {
  const { steps } = stage.run;
  const startLsn = await currentLsn(stage);
  const [postgres, redis] = await Promise.all([
    steps.step("protect", "full backup of PostgreSQL into both stores", () => backUp(stage, "postgres", ["backup", "postgres", "full"])),
    steps.step("protect", "snapshot of Redis into both stores", () => backUp(stage, "redis", ["backup", "redis", "snapshot"])),
    steps.step("protect", "checkpoint of all agents", () => backUp(stage, "agents", ["backup", "agents", "checkpoint"])),
  ]);
  const push = await steps.step("protect", "measure the push of a WAL segment", () => measurePush(stage));
  await steps.step("protect", "restore and query every copy of both backups", async () => {
    for (const store of ["postgres", "redis"]) {
      const { data } = await stage.dr(["verify", stage.backups.get(store) ?? "latest"], { accept: [1] });
      const { ok, verified } = verificationsSchema.parse(data);
      const errors = verified.flatMap(({ copies }) => copies.flatMap((copy) => copy.errors.map((error) => `${copy.backend}: ${error}`)));
      stage.run.show(`verification of ${store} before the disaster`, ok ? "every copy restored and queried" : (errors[0] ?? "a copy failed"), ok);
    }
  });
  stage.scheduler.start(jobsOfADrill);
  return { postgresSize: bytes(postgres.bytes), redisSize: bytes(redis.bytes), startLsn, push };
}

/** What `dr verify --json` prints. */
export const verificationsSchema = z.object({
  ok: z.boolean(),
  verified: z.array(z.object({ store: z.string(), ok: z.boolean(), copies: z.array(z.object({ backend: z.string(), ok: z.boolean(), errors: z.array(z.string()) })) })),
});

async function currentLsn(stage: Stage): Promise<string> {
  return ask(stage, "select pg_current_wal_lsn()::text as value");
}

/** One value from production's leader. */
export async function ask(stage: Stage, sql: string, parameters: readonly unknown[] = []): Promise<string> {
  const leader = await stage.env.requireLeader();
  return withDatabase(leader, "postgres", async (client) => {
    const { rows } = await client.query<{ value: string }>(sql, [...parameters]);
    const value = rows[0]?.value;
    if (value === undefined) throw new RangeError(`${sql} gave no row`);
    return value;
  });
}

/** WAL written since `lsn`, in bytes. */
export async function walSince(stage: Stage, lsn: string): Promise<Size> {
  return bytes(Number(await ask(stage, "select pg_wal_lsn_diff(pg_current_wal_lsn(), $1::pg_lsn)::text as value", [lsn])));
}

/** How often a push is measured, and what is added for the jobs that run beside it later. */
const pushes = 3;
const pushMargin = { factor: 2, plus: 2 };

/** Closes a segment and waits until the archiver has it in every store: PostgreSQL counts it as archived only then. */
async function measurePush(stage: Stage): Promise<Duration> {
  let longest = 0;
  for (let count = 0; count < pushes; count += 1) {
    const begun = performance.now();
    const segment = await ask(stage, "select pg_walfile_name(pg_switch_wal()) as value");
    await archived(stage, segment);
    longest = Math.max(longest, (performance.now() - begun) / 1_000);
    await sleep(50, undefined, { signal: stage.signal }); // lets the workload write into the next segment, so that there is one to close
  }
  return seconds(longest * pushMargin.factor + pushMargin.plus);
}

/** Waits until `segment` (or a later one) is in every store. */
export async function archived(stage: Stage, segment: string): Promise<void> {
  await waitFor(`WAL ${segment} in both stores`, async () => (await ask(stage, "select (coalesce(last_archived_wal, '') >= $1)::text as value from pg_stat_archiver", [segment])) === "true", { within: 120, every: 0.05, signal: stage.signal });
}
