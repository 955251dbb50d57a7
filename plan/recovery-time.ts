import { backendOf, hasLogArchive, isBackendCopy, isOriginal, scheduleOf } from "./find.ts";
import { durationOf } from "./loss.ts";
import { intervalOf } from "./schedule.ts";
import type { Copy, DnsFailover, FailureScope, Plan, Rates, Store, TierTimes } from "./types.ts";
import { addDurations, bytes, days, seconds, transferTime, type Duration, type Size } from "./units.ts";

/** A worst-case time to recover, part by part, in seconds. `total` is their sum. */
export interface RecoveryTime {
  /** Until the failure is known. */
  readonly detect: Duration;
  readonly decide: Duration;
  /** Until there is a server to restore into. */
  readonly provision: Duration;
  /** Retrieval, start of the tool, and the data's way from the backend. */
  readonly fetch: Duration;
  /** WAL replayed, an RDB loaded, a replica promoted. */
  readonly replay: Duration;
  readonly validate: Duration;
  /** Until clients reach it. */
  readonly switchOver: Duration;
  readonly total: Duration;
}

/** What a recovery time is reckoned from. */
export interface Work {
  readonly rates: Rates;
  /** Of the store's data. */
  readonly size: Size;
  /** WAL between the newest base backup and the end; only PostgreSQL's log archive needs it. */
  readonly wal: Size;
  readonly times: TierTimes;
  /** A thief's deletions: older versions are first copied to a clean bucket (facts, `--repo-target-time`). */
  readonly untangle: boolean;
  /** The newest content is the damage: what is used in place is first turned back to older versions. */
  readonly turnBack: boolean;
}

/** What a failure leaves in the copies besides good data. */
export const damageOf = (scope: FailureScope): Pick<Work, "untangle" | "turnBack"> => ({ untangle: scope === "attacker", turnBack: scope === "attacker" || scope === "logical" });

const none = seconds(0);

function timed(parts: Partial<Omit<RecoveryTime, "total">>): RecoveryTime {
  const all = { detect: none, decide: none, provision: none, fetch: none, replay: none, validate: none, switchOver: none, ...parts };
  return { ...all, total: addDurations(...Object.values(all)) };
}

/**
 * Until a load balancer sends clients to another region: detection is interval × failures asked + timeout × (retries
 * + 1), as retries are immediate (facts F16), then the resolvers' memory.
 */
export function dnsSwitchOver(dns: DnsFailover): Duration {
  return seconds(dns.interval * Math.max(1, dns.consecutiveDown) + dns.timeout * (dns.retries + 1) + dns.ttl);
}

/** The worst-case time to bring `store` back from `copy`. */
export function recoveryTimeOf(plan: Plan, store: Store, copy: Copy, work: Work): RecoveryTime {
  if (isOriginal(copy)) return timed({});
  if (copy.kind === "replica") return takeoverTime(plan, store, copy, work.times);
  return restoreTime(plan, store, copy, work);
}

/** The store's own failover: nobody decides, nothing is moved. */
function takeoverTime(plan: Plan, store: Store, copy: Extract<Copy, { readonly kind: "replica" }>, times: TierTimes): RecoveryTime {
  const { postgres, redis } = plan;
  const around = (detect: Duration, decide: Duration, replay: Duration): RecoveryTime =>
    timed({ ...waits(times), detect: addDurations(times.detect, detect), decide: addDurations(times.decide, decide), replay, switchOver: times.switchOver });
  if (store.name === "postgres") return around(postgres.leaderLease, postgres.loopWait, postgres.promotion);
  if (store.name === "redis") return around(redis.downAfter, none, redis.failoverTimeout);
  return around(none, none, copy.takeover ?? none);
}

function restoreTime(plan: Plan, store: Store, copy: Exclude<Copy, { readonly kind: "original" | "hosted" | "replica" }>, work: Work): RecoveryTime {
  const { times, rates, size } = work;
  const isInPlace = copy.kind !== "log-archive" && copy.inPlace === true;
  if (isInPlace) return timed({ ...waits(times), provision: none, fetch: work.turnBack ? transferTime(size, rates.restore) : none, switchOver: times.switchOver });
  const backend = isBackendCopy(copy) ? backendOf(plan, copy.backend) : undefined;
  const moved = dataTime(store, size, rates, backend?.role === "archive");
  const wal = copy.kind === "log-archive" || (copy.kind === "replicated-bucket" && hasLogArchive(store)) ? work.wal : bytes(0);
  return timed({
    ...waits(times),
    fetch: addDurations(backend?.retrieval ?? none, rates.startUp, work.untangle ? moved.fetch : none, moved.fetch, transferTime(wal, rates.walFetch)),
    replay: addDurations(moved.load, transferTime(wal, rates.walReplay)),
    validate: transferTime(size, rates.validate),
    switchOver: times.switchOver,
  });
}

const waits = ({ detect, decide, provision }: TierTimes) => ({ detect, decide, provision });

/** The data's way from a backend and into the store. */
function dataTime(store: Store, size: Size, rates: Rates, isArchive: boolean): { readonly fetch: Duration; readonly load: Duration } {
  if (store.name === "postgres") return { fetch: transferTime(size, isArchive ? rates.download : rates.restore), load: rates.promote };
  if (store.name === "redis") return { fetch: transferTime(size, rates.download), load: transferTime(size, rates.redisLoad) };
  return { fetch: transferTime(size, rates.download), load: transferTime(size, rates.upload) };
}

/**
 * The most WAL that a recovery replays: what is written from the newest base backup to the end. A wider backup that
 * runs meanwhile supersedes the incremental, so the longest run counts.
 */
export function walToReplay(plan: Plan, store: Store, rates: Rates): Size {
  const log = store.copies.find((copy) => copy.kind === "log-archive");
  const schedule = log === undefined ? undefined : scheduleOf(plan, log.schedule);
  if (schedule === undefined) return bytes(0);
  const names = store.copies.flatMap((copy) => (copy.kind === "backup" && scheduleOf(plan, copy.schedule)?.tool === schedule.tool ? [copy.schedule] : []));
  const longest = Math.max(...[schedule.name, ...names].map((name) => durationOf(plan, name, rates)));
  return bytes((plan.postgres.walPerDay / days(1)) * (intervalOf(schedule) + longest));
}
