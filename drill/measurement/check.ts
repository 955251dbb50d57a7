import { readConfig } from "../../runner/config.ts";
import { DrError } from "../../runner/errors.ts";
import type { RedisAddress } from "../../runner/stores/redis/connection.ts";
import { databaseName } from "../environments/local/database.ts";
import type { Member } from "../environments/local/layout.ts";
import type { Stage } from "../stage.ts";
import { lastAcknowledged } from "../workload/measure.ts";
import type { Schedule } from "../workload/schedule.ts";
import { validatePostgres, type PostgresAddress, type PostgresValidation } from "../workload/validate-postgres.ts";
import { validateRedis, type RedisValidation } from "../workload/validate-redis.ts";

/** What the workload was told, as the validators want it. */
export const scheduleOf = ({ workload: { config } }: Stage): Schedule => ({ seed: config.seed, agents: config.agents, perTick: config.pace.agentsPerTick });

export const addressOf = ({ socketDirectory, postgresPort }: Pick<Member, "socketDirectory" | "postgresPort">): PostgresAddress => ({ host: socketDirectory, port: postgresPort, user: "postgres", database: databaseName });

export const checkPostgres = (stage: Stage, address: PostgresAddress): Promise<PostgresValidation> =>
  validatePostgres({ address, schedule: scheduleOf(stage), signal: stage.signal });

/** Checks a recovered Redis that nobody writes to: it must be exactly what its own heartbeat tells. */
export const checkRedis = (stage: Stage, address: RedisAddress): Promise<RedisValidation> => validateRedis({ address, schedule: scheduleOf(stage), signal: stage.signal });

/**
 * Checks a Redis that the workload goes on writing to: no agent may be older than what had been acknowledged when the
 * check began, none newer than what can have been written, and every text must be whole.
 */
export async function checkLiveRedis(stage: Stage, region: "a" | "b"): Promise<RedisValidation> {
  const { redis } = await readConfig(await stage.env.runnerConfig(region, { redisUser: "app" }));
  if (redis === undefined) throw new DrError({ kind: "failed", what: "the region has no Redis", where: region, todo: "This is an error of the drill." });
  const from = lastAcknowledged(await stage.workload.ledger(), "redis")?.reflects ?? 0;
  return validateRedis({ address: redis, schedule: scheduleOf(stage), expected: { kind: "from-checkpoint", from, to: Number.MAX_SAFE_INTEGER }, signal: stage.signal });
}

/** Checks the replicas of the secondary region as they are, and tells how long each check takes, in seconds. */
export async function checkLive(stage: Stage): Promise<{ readonly postgres: number; readonly redis: number }> {
  const postgres = await checkPostgres(stage, addressOf(stage.env.member("b1")));
  const redis = await checkLiveRedis(stage, "b");
  for (const [store, { errors, agentsExpected, agentsValid }] of Object.entries({ postgres, redis })) {
    stage.run.show(`${store} before the disaster`, `${agentsValid.toLocaleString("en")} of ${agentsExpected.toLocaleString("en")} agents checked row by row`, errors.length === 0);
    for (const error of errors) stage.run.find(error, `${store} of the secondary region, before the disaster`);
  }
  return { postgres: postgres.seconds, redis: redis.seconds };
}
