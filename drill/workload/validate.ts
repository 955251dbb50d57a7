import { lastAcknowledged, measureRpo, type Loss } from "./measure.ts";
import type { Ledger, WorkloadStore } from "./ledger.ts";
import { inRanges, type TickRange } from "./schedule.ts";
import { validatePostgres, type PostgresQuestion, type PostgresValidation } from "./validate-postgres.ts";
import { validateRedis, type RedisQuestion, type RedisValidation } from "./validate-redis.ts";

/** What the drill knows about a store's heartbeats, besides what the recovered store says. */
export interface Circumstances {
  /** Reads the ledger; called after the store was read, so that no heartbeat in it is newer than the ledger. */
  readonly ledger: () => Promise<Ledger>;
  /** Milliseconds since 1970. */
  readonly disasterAt: number;
  /** The last heartbeat that was acknowledged before the backup began: the recovery must reach it. Default: 0. */
  readonly atLeast?: number;
  /** What an earlier disaster of the same drill lost: `lostAtResumptions`. */
  readonly alreadyLost?: readonly TickRange[];
}

/** Everything about one recovered store. */
export interface Validated<V> extends Loss {
  readonly rows: V;
  /** Nothing is wrong with the rows, and the heartbeats are as they must be. Loss is no error: it is measured. */
  readonly valid: boolean;
  /** The first 20 of the rows', after those of the heartbeats. */
  readonly errors: readonly string[];
  readonly firstMissingAckAt: Date | undefined;
}

interface Heartbeats {
  readonly recoveredTick: number;
  readonly present: readonly TickRange[];
}

/** Heartbeats that are named one by one; more are only counted. */
const namedHoles = 5;

/**
 * What is wrong with a store's heartbeats: one that nobody wrote, a recovery that stops short of its own backup, and
 * a hole in the middle. A commit that was never answered may be there, and one more may be under way.
 */
export function heartbeatProblems(ledger: Pick<Ledger, "acknowledged" | "unanswered">, store: WorkloadStore, { recoveredTick, present }: Heartbeats, { atLeast = 0, alreadyLost = [] }: Pick<Circumstances, "atLeast" | "alreadyLost">): string[] {
  const problems: string[] = [];
  const last = lastAcknowledged(ledger, store)?.tick ?? 0;
  const sent = Math.max(last, ...ledger.unanswered.filter((entry) => entry.store === store).map(({ tick }) => tick));
  if (recoveredTick > sent + 1) problems.push(`${store} holds heartbeat ${recoveredTick}, but ${last} was the last one that was acknowledged, and ${sent} the last one that was sent`);
  if (recoveredTick < atLeast) problems.push(`${store} reaches to heartbeat ${recoveredTick}, but ${atLeast} was acknowledged before the backup began`);
  const holes = ledger.acknowledged[store].filter(({ tick }) => tick <= recoveredTick && !inRanges(tick, present) && !inRanges(tick, alreadyLost));
  for (const { tick, at } of holes.slice(0, namedHoles)) problems.push(`${store} lacks heartbeat ${tick}, acknowledged at ${new Date(at).toISOString()}, although it holds ${recoveredTick}`);
  if (holes.length > namedHoles) problems.push(`${store} lacks ${holes.length - namedHoles} more acknowledged heartbeats in its midst`);
  return problems;
}

async function judge<V extends Heartbeats & { readonly errors: readonly string[] }>(store: WorkloadStore, rows: V, circumstances: Circumstances): Promise<Validated<V>> {
  const { alreadyLost, disasterAt } = circumstances;
  const ledger = await circumstances.ledger();
  const loss = measureRpo(ledger, { store, disasterAt, present: rows.present, ...(alreadyLost === undefined ? {} : { alreadyLost }) });
  const errors = [...heartbeatProblems(ledger, store, rows, circumstances), ...rows.errors];
  return { ...loss, rows, errors, valid: errors.length === 0, firstMissingAckAt: loss.firstMissing === undefined ? undefined : new Date(loss.firstMissing.at) };
}

export async function validateRecoveredPostgres(question: PostgresQuestion, circumstances: Circumstances): Promise<Validated<PostgresValidation>> {
  return judge("postgres", await validatePostgres(question), circumstances);
}

export async function validateRecoveredRedis(question: RedisQuestion, circumstances: Circumstances): Promise<Validated<RedisValidation>> {
  return judge("redis", await validateRedis(question), circumstances);
}
