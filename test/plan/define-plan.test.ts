import { describe, expect, it } from "vitest";
import { blackroad } from "../../plan/blackroad.ts";
import { definePlan } from "../../plan/define-plan.ts";
import { PlanError } from "../../plan/plan-error.ts";
import type { Plan, ScheduleName } from "../../plan/types.ts";
import { bytes, bytesPerSecond, days, gib, hours, mib, minutes, seconds } from "../../plan/units.ts";
import { accept, backendIn, changed, copyIn, itemIn, scheduleIn, storeIn, type Draft } from "./drafts.ts";

function errorOf(plan: Plan): PlanError {
  try {
    definePlan(plan);
  } catch (error) {
    if (error instanceof PlanError) return error;
    throw error;
  }
  throw new Error("the plan was taken");
}

type Case = readonly [sentence: string, change: (draft: Draft<Plan>) => void, field: string, expected: RegExp];

const shape: readonly Case[] = [
  ["a negative figure", (draft) => (draft.postgres.walPerDay = -1 as never), "postgres.walPerDay", /finite number of at least 0/],
  ["a figure that is no number", (draft) => (draft.system.rto = Number.NaN as never), "system.rto", /finite number/],
  ["an infinite figure", (draft) => (draft.tiers.warm.provision = Infinity as never), "tiers.warm.provision", /finite number/],
  ["an empty word", (draft) => (backendIn(draft, "r2").bucket = " "), "backends[r2].bucket", /a word/],
  ["a plan without schedules", (draft) => (draft.schedules = []), "schedules", /at least one/],
  ["an unknown store", (draft) => (storeIn(draft, "logs").name = "mail" as never), "stores[5].name", /one of postgres, redis/],
  ["an acceptance for an unknown failure", (draft) => (itemIn(draft.accepted, 0).scope = "flood" as never), "accepted[0].scope", /one of process, region/],
  ["an acceptance of neither objective", (draft) => (itemIn(draft.accepted, 0).what = "mttr" as never), "accepted[0].what", /rpo or rto/],
];

const missing: readonly Case[] = [
  ["a missing field", (draft) => Reflect.deleteProperty(draft, "redis"), "redis", /every plan has this field/],
  ["a missing tier", (draft) => Reflect.deleteProperty(draft.tiers, "cold"), "tiers.cold", /times of the tier/],
  ["an unknown category", (draft) => (storeIn(draft, "logs").category = "nice" as never), "stores[logs].category", /one of critical, important/],
];

const names: readonly Case[] = [
  ["a region named twice", (draft) => (itemIn(draft.regions, 2).name = "us-west-2"), "regions", /each name once/],
  ["a backend named twice", (draft) => (backendIn(draft, "s3").name = "r2"), "backends", /each name once/],
  ["a store named twice", (draft) => (storeIn(draft, "logs").name = "metrics"), "stores", /each name once/],
  ["a schedule named twice", (draft) => (scheduleIn(draft, "verify").name = "archive"), "schedules", /each name once/],
  ["a copy named twice", (draft) => (copyIn(draft, "redis", "far-replica").name = "near-replica"), "stores[redis].copies", /each name once/],
  ["an alert named twice", (draft) => (itemIn(draft.alerts, 0).name = "BackupOverdue"), "alerts", /each name once/],
  ["a key named twice", (draft) => draft.keys.push("backups"), "keys", /each name once/],
  ["a bucket of two backends", (draft) => (backendIn(draft, "s3").bucket = "blackroad-backups"), "backends", /bucket of its own/],
  ["a command of two schedules", (draft) => (scheduleIn(draft, "verify").command = ["backup", "archive"]), "schedules", /one schedule per command/],
];

const references: readonly Case[] = [
  ["an original in an unknown region", (draft) => Object.assign(copyIn(draft, "postgres", "leader"), { region: "mars-1" }), "stores[postgres].copies[leader].region", /one of us-east-1/],
  ["an original outside the primary region", (draft) => Object.assign(copyIn(draft, "postgres", "leader"), { region: "us-west-2" }), "stores[postgres].copies[leader].region", /the primary region, us-east-1/],
  ["a replica in an unknown region", (draft) => Object.assign(copyIn(draft, "redis", "far-replica"), { region: "mars-1" }), "stores[redis].copies[far-replica].region", /one of us-east-1/],
  ["a replica in the witness's region", (draft) => Object.assign(copyIn(draft, "redis", "far-replica"), { region: "eu-west-1" }), "stores[redis].copies[far-replica].region", /a region with servers/],
  ["a copy in an unknown backend", (draft) => Object.assign(copyIn(draft, "vault", "s3-vault-snapshot"), { backend: "ftp" }), "stores[vault].copies[s3-vault-snapshot].backend", /one of r2, s3, archive/],
  ["a copy by an unknown schedule", (draft) => Object.assign(copyIn(draft, "vault", "s3-vault-snapshot"), { schedule: "hourly" }), "stores[vault].copies[s3-vault-snapshot].schedule", /one of postgres-incremental/],
  ["a copy by a schedule that writes nothing", (draft) => Object.assign(copyIn(draft, "vault", "s3-vault-snapshot"), { schedule: "verify" }), "stores[vault].copies[s3-vault-snapshot].schedule", /writes something/],
  ["a replicated bucket of an unknown backend", (draft) => Object.assign(copyIn(draft, "vault", "s3-replicated"), { of: "ftp" }), "stores[vault].copies[s3-replicated].of", /one of r2, s3/],
  ["a replicated bucket that holds nothing of the store", (draft) => Object.assign(copyIn(draft, "objects", "s3-replicated"), { of: "r2" }), "stores[objects].copies[s3-replicated].of", /that objects is written to/],
  ["changes since an unknown schedule", (draft) => (scheduleIn(draft, "postgres-diff").since = "monthly" as ScheduleName), "schedules[postgres-diff].since", /one of postgres-incremental/],
  ["a schedule that makes no copy", (draft) => (storeIn(draft, "configuration").copies = storeIn(draft, "configuration").copies.filter((copy) => !copy.name.endsWith("config-snapshot"))), "schedules[config-snapshot]", /a copy of some store/],
  ["a store without an original", (draft) => storeIn(draft, "redis").copies.shift(), "stores[redis].copies", /exactly one original/],
  ["a log without a base beside it", (draft) => Object.assign(copyIn(draft, "postgres", "r2-wal"), { schedule: "archive" }), "stores[postgres].copies[r2-wal].schedule", /a log needs a base/],
];

const figures: readonly Case[] = [
  ["no agents", (draft) => (draft.agents = 0), "agents", /more than 0/],
  ["half an agent", (draft) => (draft.agents = 0.5), "agents", /whole number/],
  ["an empty store", (draft) => (storeIn(draft, "vault").expectedSize = bytes(0)), "stores[vault].expectedSize", /more than 0/],
  ["a store that never changes", (draft) => (storeIn(draft, "vault").dailyChange = bytes(0)), "stores[vault].dailyChange", /more than 0/],
  ["a compression that inflates", (draft) => (storeIn(draft, "vault").compression = 1.5), "stores[vault].compression", /at most 1/],
  ["a run without time", (draft) => (scheduleIn(draft, "archive").deadline = seconds(0)), "schedules[archive].deadline", /more than 0/],
  ["a run that makes nothing that lasts", (draft) => (scheduleIn(draft, "archive").retention = seconds(0)), "schedules[archive].retention", /more than 0/],
  ["a backend without room", (draft) => (backendIn(draft, "r2").quota = bytes(0)), "backends[r2].quota", /more than 0/],
  ["an RPO of the system of 0", (draft) => (draft.system.rpo = seconds(0)), "system.rpo", /more than 0/],
  ["a lease of fractions", (draft) => (draft.postgres.leaderLease = seconds(20.5)), "postgres.leaderLease", /whole number/],
  ["an alert that does not wait", (draft) => (itemIn(draft.alerts, 0).for = seconds(0)), "alerts[BackupFailed].for", /more than 0/],
  ["a plan stretched", (draft) => (draft.intervalScale = 0.5), "intervalScale", /at least 1/],
  ["a rate of 0", (draft) => (draft.rates.walReplay = bytesPerSecond(0)), "rates.walReplay", /more than 0 bytes per second/],
];

const places: readonly Case[] = [
  ["two regions", (draft) => draft.regions.pop(), "regions", /at least 3/],
  ["other regions than promised", (draft) => (draft.system.regions = 5), "regions", /5, as system.regions promises/],
  ["an even number of votes", (draft) => draft.regions.push({ ...itemIn(draft.regions, 2), name: "eu-north-1" }), "regions", /an odd number/],
  ["no primary region", (draft) => (itemIn(draft.regions, 0).role = "witness"), "regions", /exactly one primary/],
  ["two secondary regions", (draft) => (itemIn(draft.regions, 2).role = "secondary"), "regions", /exactly one secondary/],
  ["no witness", (draft) => (itemIn(draft.regions, 2).role = "secondary"), "regions", /a witness/],
  ["one region that is both", (draft) => (itemIn(draft.regions, 1).name = "us-east-1"), "regions", /not the primary one/],
  ["two primary backends", (draft) => (backendIn(draft, "s3").role = "primary"), "backends", /exactly one primary/],
  ["no secondary backend", (draft) => (backendIn(draft, "s3").role = "primary"), "backends", /exactly one secondary/],
  ["a single provider", (draft) => Object.assign(backendIn(draft, "r2"), { kind: "s3", provider: "aws" }), "backends", /at least 2 providers/],
  ["a single continent", (draft) => (backendIn(draft, "r2").continent = "north-america"), "backends", /another continent than us-east-1/],
  ["a backend in the primary region", (draft) => (backendIn(draft, "s3").region = "us-east-1"), "backends[s3].region", /lost with what it protects/],
  ["a kind that its provider does not run", (draft) => (backendIn(draft, "s3").kind = "r2"), "backends[s3].provider", /cloudflare, which runs r2/],
  ["a store that must be asked first", (draft) => (backendIn(draft, "s3").retrieval = hours(1)), "backends[s3].retrieval", /only an archive/],
  ["a store that only the archive holds", (draft) => (storeIn(draft, "configuration").copies = storeIn(draft, "configuration").copies.filter((copy) => copy.kind === "hosted" || copy.name === "archive-archive")), "stores[configuration].copies", /outside the archive/],
];

const objectives: readonly Case[] = [
  ["critical data promised less than important", (draft) => (draft.categories.critical.rpo = hours(1)), "categories.critical.rpo", /at most categories.important.rpo/],
  ["important data promised less than operational", (draft) => (draft.categories.operational.rpo = minutes(1)), "categories.important.rpo", /at most categories.operational.rpo/],
  ["important data promised less than the system", (draft) => (draft.categories.important.rpo = minutes(30)), "categories.important.rpo", /at most system.rpo/],
  ["a hot tier that is not faster", (draft) => (draft.tiers.hot.rto = minutes(30)), "tiers.hot.rto", /less than tiers.warm.rto/],
  ["a warm tier that is not faster", (draft) => (draft.tiers.warm.rto = hours(4)), "tiers.warm.rto", /less than tiers.cold.rto/],
  ["a system promised before its warm tier", (draft) => (draft.system.rto = minutes(10)), "tiers.warm.rto", /at most system.rto/],
  ["a tier whose waits are its whole time", (draft) => (draft.tiers.warm.decide = minutes(30)), "tiers.warm", /below 1800/],
  ["a switch that is faster than DNS", (draft) => (draft.tiers.hot.switchOver = seconds(1)), "tiers.hot.switchOver", /at least 105, which DNS takes/],
  ["a synchronous replica that lags", (draft) => Object.assign(copyIn(draft, "postgres", "synchronous-replica"), { lagBound: 1 }), "stores[postgres].copies[synchronous-replica].lagBound", /what is synchronous/],
  ["an asynchronous replica that does not lag", (draft) => Object.assign(copyIn(draft, "postgres", "asynchronous-replica"), { lagBound: 0 }), "stores[postgres].copies[asynchronous-replica].lagBound", /what is asynchronous/],
  ["a lag over its objective", (draft) => Object.assign(copyIn(draft, "redis", "far-replica"), { lagBound: 5 }), "stores[redis].copies[far-replica].lagBound", /at most system.replicationLag, 1/],
  ["a takeover of unknown length", (draft) => Reflect.deleteProperty(copyIn(draft, "vault", "raft-followers"), "takeover"), "stores[vault].copies[raft-followers].takeover", /how long vault takes/],
  ["a takeover said twice", (draft) => Object.assign(copyIn(draft, "postgres", "synchronous-replica"), { takeover: 3 }), "stores[postgres].copies[synchronous-replica].takeover", /follows from plan.postgres/],
];

const schedules: readonly Case[] = [
  ["a cron of three fields", (draft) => (scheduleIn(draft, "verify").cron = "* * *"), "schedules[verify].cron", /five fields/],
  ["a cron of an impossible minute", (draft) => (scheduleIn(draft, "verify").cron = "61 * * * *"), "schedules[verify].cron", /five fields/],
  ["a cron of a day that never comes", (draft) => (scheduleIn(draft, "verify").cron = "0 0 30 2 *"), "schedules[verify].cron", /once a year/],
  ["a cron with seconds", (draft) => (scheduleIn(draft, "verify").cron = "0 0 4 * * 0"), "schedules[verify].cron", /five fields/],
  ["a cron with a time zone", (draft) => (scheduleIn(draft, "verify").cron = "TZ=UTC 0 4 * * 0"), "schedules[verify].cron", /five fields/],
  ["a nickname for a cron", (draft) => (scheduleIn(draft, "verify").cron = "@weekly"), "schedules[verify].cron", /nickname/],
  ["a schedule without a command", (draft) => (scheduleIn(draft, "verify").command = []), "schedules[verify].command", /arguments of dr/],
  ["a deadline too short to start", (draft) => (scheduleIn(draft, "verify").deadline = seconds(5)), "schedules[verify].deadline", /at least 10 s/],
  ["a run longer than its interval", (draft) => (scheduleIn(draft, "redis-snapshot").deadline = minutes(6)), "schedules[redis-snapshot].deadline", /at most 300, the interval/],
  ["a backup gone before the next", (draft) => (scheduleIn(draft, "logs-ship").retention = minutes(20)), "schedules[logs-ship].retention", /at least 1500/],
  ["a run that the rate does not allow", (draft) => (storeIn(draft, "redis").expectedSize = gib(40)), "schedules[redis-snapshot].deadline", /needs at rates.upload/],
  ["a job whose missed run breaks the RPO", (draft) => (scheduleIn(draft, "redis-snapshot").cron = "*/10 * * * *"), "schedules[redis-snapshot].cron", /one missed run must be survived/],
  ["a ladder that grows denser", (draft) => (scheduleIn(draft, "redis-snapshot").keepLonger = [{ every: seconds(60), retention: days(7) }]), "schedules[redis-snapshot].keepLonger[0].every", /more sparsely/],
  ["a ladder that keeps for less", (draft) => (scheduleIn(draft, "redis-snapshot").keepLonger = [{ every: hours(1), retention: hours(2) }]), "schedules[redis-snapshot].keepLonger[0].retention", /keeps already/],
  ["everything since something", (draft) => (scheduleIn(draft, "redis-snapshot").since = "postgres-full"), "schedules[redis-snapshot].since", /only changes/],
  ["changes since something more frequent", (draft) => (scheduleIn(draft, "postgres-diff").since = "postgres-incremental"), "schedules[postgres-diff].since", /less often/],
];

const retention: readonly Case[] = [
  ["a log shorter than the window", (draft) => (draft.recovery.walRetention = days(3)), "recovery.walRetention", /at least recovery.window/],
  ["a notice after the window", (draft) => (draft.recovery.timeToNotice = days(8)), "recovery.timeToNotice", /at most recovery.window/],
  ["full backups shorter than the window and an interval", (draft) => (scheduleIn(draft, "postgres-full").retention = days(7)), "schedules[postgres-full].retention", /for a base before its oldest moment/],
  ["a store without a full backup under its log", (draft) => (scheduleIn(draft, "postgres-full").writes = "changes"), "stores[postgres].copies", /a full backup for the log/],
  ["history that ends before the notice", (draft) => (scheduleIn(draft, "logs-ship").retention = days(2)), "stores[logs].copies", /at least recovery.timeToNotice/],
  ["critical data kept for less than promised", (draft) => (draft.system.retention = days(400)), "stores[vault].copies", /kept for system.retention/],
  ["checkpoints kept for less than promised", (draft) => (draft.recovery.checkpointRetention = days(2)), "schedules[agents-checkpoint].retention", /at least recovery.checkpointRetention/],
];

const locks: readonly Case[] = [
  ["a lock shorter than the notice", (draft) => (backendIn(draft, "s3").immutableFor = days(3)), "backends[s3].immutableFor", /at least recovery.timeToNotice/],
  ["no lock at all", (draft) => (backendIn(draft, "r2").immutableFor = seconds(0)), "backends[r2].immutableFor", /at least recovery.timeToNotice/],
  ["a lock over the log's retention where nothing is versioned", (draft) => (backendIn(draft, "r2").immutableFor = days(8)), "backends[r2].immutableFor", /at most recovery.walRetention/],
  ["a lock over the retention with no other place", (draft) => Reflect.deleteProperty(backendIn(draft, "s3"), "shortLived"), "backends[s3].immutableFor", /or a shortLived place/],
  ["a short lock over the retention", (draft) => Object.assign(backendIn(draft, "s3"), { shortLived: { bucket: "short", immutableFor: days(2) } }), "backends[s3].shortLived.immutableFor", /at most 86400, the retention of redis-snapshot/],
  ["a short lock that is not short", (draft) => Object.assign(backendIn(draft, "s3"), { shortLived: { bucket: "short", immutableFor: days(7) } }), "backends[s3].shortLived.immutableFor", /less than immutableFor/],
  ["a lock over what a ladder keeps", (draft) => (scheduleIn(draft, "redis-snapshot").keepLonger = [{ every: hours(1), retention: days(3) }]), "backends[r2].immutableFor", /at most 259200, for which redis-snapshot/],
  ["an archive locked for longer than it is kept", (draft) => (backendIn(draft, "archive").immutableFor = days(400)), "backends[archive].immutableFor", /at most 31536000/],
];

const servers: readonly Case[] = [
  ["a PostgreSQL nobody configures", (draft) => (draft.postgres.version = 9), "postgres.version", /at least 13/],
  ["a lease under Patroni's minimum", (draft) => (draft.postgres.leaderLease = seconds(10)), "postgres.leaderLease", /at least 20, Patroni/],
  ["a loop under Patroni's minimum", (draft) => (draft.postgres.loopWait = seconds(0)), "postgres.loopWait", /at least 1, Patroni/],
  ["a retry under Patroni's minimum", (draft) => (draft.postgres.retryTimeout = seconds(2)), "postgres.retryTimeout", /at least 3, Patroni/],
  ["a lease that a retry outlasts", (draft) => (draft.postgres.retryTimeout = seconds(8)), "postgres.leaderLease", /loopWait \+ 2 × retryTimeout/],
  ["segments closed after the RPO", (draft) => (draft.postgres.archiveTimeout = minutes(20)), "postgres.archiveTimeout", /at most system.rpo/],
  ["a push that breaks the RPO", (draft) => (draft.postgres.pushBound = minutes(15)), "postgres.pushBound", /at most 840/],
  ["a degraded push that breaks the RPO", (draft) => (draft.postgres.pushBoundDegraded = minutes(15)), "postgres.pushBoundDegraded", /at most 840/],
  ["a push that is faster when degraded", (draft) => (draft.postgres.pushBoundDegraded = seconds(3)), "postgres.pushBoundDegraded", /speeds nothing up/],
  ["a time-out as long as the push", (draft) => (draft.postgres.ioTimeout = seconds(15)), "postgres.ioTimeout", /less than pushBound/],
  ["a segment of an odd size", (draft) => (draft.postgres.walSegment = mib(17)), "postgres.walSegment", /power of two/],
  ["a slot that holds no segment", (draft) => (draft.postgres.slotWalLimit = mib(1)), "postgres.slotWalLimit", /at least one segment/],
  ["a promotion that the lag bound forbids", (draft) => (draft.postgres.maximumLagOnFailover = bytes(1)), "postgres.maximumLagOnFailover", /is not promoted/],
  ["a promotion that breaks the RPO", (draft) => (draft.postgres.maximumLagOnFailover = gib(10)), "postgres.maximumLagOnFailover", /may lose more/],
  ["a Redis that waits for nobody", (draft) => (draft.redis.replicaLagBound = seconds(10)), "redis.replicaLagBound", /refuse writes/],
];

const alerts: readonly Case[] = [
  ["an alert after the RPO is broken", (draft) => Object.assign(itemIn(draft.alerts, 2), { above: 2_000 }), "alerts[RecoveryPointStale].above", /at most system.rpo/],
  ["no alert before the RPO is broken", (draft) => (draft.alerts = draft.alerts.filter((alert) => alert.name !== "RecoveryPointAging")), "alerts", /before system.rpo/],
  ["an alert in ordinary operation", (draft) => Object.assign(itemIn(draft.alerts, 3), { above: 200 }), "alerts[RecoveryPointAging].above", /fires while all is well/],
  ["a failure that leaves before it fires", (draft) => Object.assign(itemIn(draft.alerts, 0), { window: 60 }), "alerts[BackupFailed].window", /left the window/],
  ["an overdue alert under every interval", (draft) => Object.assign(itemIn(draft.alerts, 1), { above: 60 }), "alerts[BackupOverdue].above", /always fires/],
  ["an alert on WAL that is on its way", (draft) => Object.assign(itemIn(draft.alerts, 5), { above: 75 }), "alerts[WalArchiveLate].above", /fires while all is well/],
  ["an alert on more lag than is promised", (draft) => Object.assign(itemIn(draft.alerts, 6), { above: 2 }), "alerts[ReplicationLagHigh].above", /at most system.replicationLag/],
  ["no alert for a store before what it is promised is broken", (draft) => (draft.alerts = draft.alerts.filter(({ kind }) => kind !== "store-recovery-point-age")), "alerts", /age of logs that fires/],
  ["an alert for a store that waits too long", (draft) => Object.assign(itemIn(draft.alerts, 8), { for: minutes(5) }), "alerts", /age of redis that fires/],
  ["an alert for a store that is as old in ordinary operation", (draft) => Object.assign(itemIn(draft.alerts, 8), { share: 0.5 }), "alerts[StoreRecoveryPointAging].share", /metrics is 2100 s old while all is well/],
  ["an alert on no share", (draft) => Object.assign(itemIn(draft.alerts, 8), { share: 1.5 }), "alerts[StoreRecoveryPointAging].share", /between 0 and 1/],
  ["an alert on more room than there is", (draft) => (backendIn(draft, "r2").quota = gib(5)), "alerts[BackupStorageLow].below", /quota of r2/],
];

const acceptances: readonly Case[] = [
  ["no reason", (draft) => (itemIn(draft.accepted, 0).reason = "  "), "accepted[postgres region rpo].reason", /why it cannot be kept/],
  ["the same twice", (draft) => draft.accepted.push({ ...itemIn(draft.accepted, 0) }), "accepted", /each acceptance once/],
  ["a store that the plan has not", (draft) => (draft.stores = draft.stores.filter((store) => store.name !== "vault")), "accepted[vault region rpo].store", /one of the plan's stores/],
  ["no more than the objective", (draft) => (itemIn(draft.accepted, 0).upTo = seconds(0)), "accepted[postgres region rpo].upTo", /or it accepts nothing/],
  ["more loss than the system's RPO", (draft) => (itemIn(draft.accepted, 0).upTo = hours(1)), "accepted[postgres region rpo].upTo", /system.rpo/],
  ["more time than the cold tier's", (draft) => (itemIn(draft.accepted, draft.accepted.length - 1).upTo = hours(9)), "accepted[vault provider rto].upTo", /tiers.cold.rto/],
  ["what is met", accept({ store: "postgres", scope: "process", what: "rpo", upTo: minutes(1), reason: "to be safe" }), "accepted[postgres process rpo]", /the objective is met/],
];

describe("a plan with a contradiction", () => {
  const groups = { shape, missing, names, references, figures, places, objectives, schedules, retention, locks, servers, alerts, acceptances };
  for (const [group, cases] of Object.entries(groups)) {
    it.each(cases)(`is refused (${group}): %s`, (_, change, field, expected) => {
      const { problems, message } = errorOf(changed(change));
      const found = problems.filter((problem) => problem.field === field && expected.test(problem.expected));
      expect(found.length, message).toBeGreaterThan(0);
      expect(new Set(problems.map((problem) => JSON.stringify(problem))).size, "each problem once").toBe(problems.length);
      expect(message).toContain(`${field} is `);
    });
  }
});

describe("definePlan", () => {
  it("returns the shipped plan as it is", () => {
    expect(definePlan(blackroad)).toBe(blackroad);
  });

  it("tells all errors at once, of every kind", () => {
    const all = [...shape.slice(0, 2), ...names.slice(6, 7), ...references.slice(0, 1), ...figures.slice(0, 1), ...objectives.slice(0, 1), ...schedules.slice(0, 1), ...retention.slice(0, 1), ...locks.slice(0, 1), ...servers.slice(0, 1), ...alerts.slice(3, 4), ...acceptances.slice(0, 1)];
    const wrong = changed((draft) => {
      for (const [, change] of all) change(draft);
    });
    const { problems } = errorOf(wrong);
    for (const [sentence, , field, expected] of all) expect(problems.some((problem) => problem.field === field && expected.test(problem.expected)), sentence).toBe(true);
  });

  it("names the field, the value and what was expected", () => {
    const error = errorOf(changed((draft) => (draft.postgres.leaderLease = seconds(19))));
    expect(error.problems).toEqual([{ field: "postgres.leaderLease", value: 19, expected: "at least 20, Patroni's own minimum" }]);
    expect(error.message).toBe("the plan \"blackroad\" has 1 error:\n  postgres.leaderLease is 19; expected at least 20, Patroni's own minimum");
  });

  it("says NaN and missing where JSON has no word", () => {
    expect(errorOf(changed((draft) => (draft.system.rto = Number.NaN as never))).message).toContain("system.rto is NaN;");
    expect(errorOf(changed((draft) => Reflect.deleteProperty(draft, "dns"))).message).toContain("dns is missing;");
  });

  it("takes a plan whose promises cannot be kept: the assessment says so", () => {
    const slow = changed((draft) => (draft.rates.restore = bytesPerSecond(1e6)));
    expect(definePlan(slow)).toBe(slow);
  });

  it("takes the lock that is as long as the log is kept", () => {
    expect(blackroad.backends.find((backend) => backend.name === "r2")?.immutableFor).toBe(blackroad.recovery.walRetention);
  });
});
