import { redisVersion } from "../../plan/config/redis.ts";
import { atLeast } from "../../plan/config/version.ts";
import type { RedisLink } from "../stores/redis/connection.ts";
import { readInfo, serverTime } from "../stores/redis/server-state.ts";
import { GarbageLimit } from "../system/garbage.ts";
import type { RedisSpool } from "./redis-spool.ts";
import { agentKeyPrefix, agentOfKey } from "./schema.ts";

/** Keys looked at per round trip: enough to hide the way, few enough not to hold the server up (10,000: 2 ms). */
const scanned = { forAll: 1_000, forSome: 10_000 } as const;

/** Keys by agent, as a scan found them. */
export type PresentKeys = ReadonlyMap<string, readonly string[]>;

/** SCAN's patterns give these characters a meaning. */
const literally = (text: string): string => text.replaceAll(/[*?[\]\\^]/g, "\\$&");

function patternFor(only: ReadonlySet<string> | undefined): string {
  const [single, ...more] = only ?? [];
  return single !== undefined && more.length === 0 ? `${literally(agentKeyPrefix(single))}*` : "agent:*";
}

/** Every key of the agents that are wanted, in batches and in no order; a key may come twice. */
export async function* agentKeys(redis: RedisLink, only?: ReadonlySet<string>): AsyncGenerator<{ readonly agent: string; readonly key: string }[]> {
  const pattern = patternFor(only);
  let cursor = "0";
  do {
    const answer = await redis.send("SCAN", cursor, "MATCH", pattern, "COUNT", String(only === undefined ? scanned.forAll : scanned.forSome));
    if (!Array.isArray(answer) || !Array.isArray(answer[1])) throw new TypeError("SCAN answers with a cursor and a list");
    cursor = String(answer[0]);
    yield answer[1].flatMap((name) => {
      const key = String(name);
      const agent = agentOfKey(key);
      return agent !== undefined && (only === undefined || only.has(agent)) ? [{ agent, key }] : [];
    });
  } while (cursor !== "0");
}

export async function presentKeys(redis: RedisLink, only?: ReadonlySet<string>): Promise<PresentKeys> {
  const present = new Map<string, string[]>();
  for await (const keys of agentKeys(redis, only)) {
    for (const { agent, key } of keys) {
      const known = present.get(agent);
      if (known === undefined) present.set(agent, [key]);
      else known.push(key);
    }
  }
  return present;
}

/** What a scan found, in batches as a scan gives them. */
function* batchesOf(present: PresentKeys): Generator<{ agent: string; key: string }[]> {
  let batch: { agent: string; key: string }[] = [];
  for (const [agent, keys] of present) {
    for (const key of keys) batch.push({ agent, key });
    if (batch.length < scanned.forAll) continue;
    yield batch;
    batch = [];
  }
  yield batch;
}

/** Since version 7.0 a server says when a key expires; before, only in how long. */
async function expiryReader(redis: RedisLink): Promise<(key: string) => Promise<number | null>> {
  const version = redisVersion((await readInfo(redis)).get("redis_version") ?? "");
  const absolute = atLeast(version, 7);
  return async (key) => {
    const now = absolute ? 0 : (await serverTime(redis)).getTime();
    const left = Number(await redis.send(absolute ? "PEXPIRETIME" : "PTTL", key));
    return left < 0 ? null : left + now;
  };
}

/**
 * Copies the working memory of the agents into the spool, of the keys that a scan found already or of all that it
 * finds now. The server's time before the first look is returned.
 */
export async function spoolRedis(redis: RedisLink, spool: RedisSpool, only: ReadonlySet<string> | undefined, present?: PresentKeys): Promise<Date> {
  const time = await serverTime(redis);
  const expiryOf = await expiryReader(redis);
  const garbage = new GarbageLimit();
  for await (const keys of present === undefined ? agentKeys(redis, only) : batchesOf(present)) {
    const values = await Promise.all(keys.map(async ({ agent, key }) => {
      const [expiresAt, dump] = await Promise.all([expiryOf(key), redis.sendBinary("DUMP", key)]);
      return { agent, key, expiresAt, dump };
    }));
    for (const { agent, key, expiresAt, dump } of values) {
      if (Buffer.isBuffer(dump)) await spool.add(agent, key, expiresAt, dump); // otherwise it is gone since the scan
    }
    garbage.check();
  }
  await spool.flush();
  return time;
}
