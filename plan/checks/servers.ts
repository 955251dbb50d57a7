import { storeOf } from "../find.ts";
import { days, mib, gib } from "../units.ts";
import type { Check, Report } from "./check.ts";
import type { Plan } from "../types.ts";

/** Patroni refuses less (patroni/config.py and its documentation of dynamic settings), in seconds. */
const patroniLeast = { leaderLease: 20, loopWait: 1, retryTimeout: 3 } as const;
/** The oldest major version that the generated configuration is for. */
const leastPostgres = 13;

export const checkPostgres: Check = (plan, report) => {
  const { postgres, system } = plan;
  if (postgres.version < leastPostgres) report("postgres.version", postgres.version, `at least ${leastPostgres}`);
  checkPatroni(plan, report);
  if (postgres.archiveTimeout > system.rpo) report("postgres.archiveTimeout", postgres.archiveTimeout, `at most system.rpo, ${system.rpo}`);
  for (const push of ["pushBound", "pushBoundDegraded"] as const) {
    const age = postgres.archiveTimeout + postgres[push];
    if (age > system.rpo && postgres.archiveTimeout <= system.rpo) report(`postgres.${push}`, postgres[push], `at most ${system.rpo - postgres.archiveTimeout}: with archiveTimeout it is the archive's age, and system.rpo is ${system.rpo}`);
  }
  if (postgres.pushBoundDegraded < postgres.pushBound) report("postgres.pushBoundDegraded", postgres.pushBoundDegraded, `at least pushBound, ${postgres.pushBound}: a dead repository speeds nothing up`);
  if (postgres.ioTimeout >= postgres.pushBound) report("postgres.ioTimeout", postgres.ioTimeout, `less than pushBound, ${postgres.pushBound}: or a single lost answer breaks it`);
  checkWal(plan, report);
};

function checkPatroni({ postgres }: Plan, report: Report): void {
  for (const [name, least] of Object.entries(patroniLeast) as readonly [keyof typeof patroniLeast, number][]) {
    if (postgres[name] < least) report(`postgres.${name}`, postgres[name], `at least ${least}, Patroni's own minimum`);
  }
  const busy = postgres.loopWait + 2 * postgres.retryTimeout;
  if (busy > postgres.leaderLease) report("postgres.leaderLease", postgres.leaderLease, `at least ${busy}: loopWait + 2 × retryTimeout, or a healthy leader loses its lease while it retries`);
}

function checkWal(plan: Plan, report: Report): void {
  const { walSegment, slotWalLimit, maximumLagOnFailover, walPerDay } = plan.postgres;
  if (walSegment < mib(1) || walSegment > gib(1) || !Number.isInteger(Math.log2(walSegment))) report("postgres.walSegment", walSegment, "a power of two from 1 MiB to 1 GiB");
  if (slotWalLimit < walSegment) report("postgres.slotWalLimit", slotWalLimit, `at least one segment, ${walSegment}`);
  const lag = Math.max(0, ...(storeOf(plan, "postgres")?.copies ?? []).map((copy) => (copy.kind === "replica" ? copy.lagBound : 0)));
  const perSecond = walPerDay / days(1);
  if (maximumLagOnFailover < perSecond * lag) report("postgres.maximumLagOnFailover", maximumLagOnFailover, `at least ${Math.ceil(perSecond * lag)}: the WAL of ${lag} s, the replicas' lag bound, or a replica within it is not promoted`);
  if (maximumLagOnFailover > perSecond * plan.system.rpo) report("postgres.maximumLagOnFailover", maximumLagOnFailover, `at most ${Math.floor(perSecond * plan.system.rpo)}: the WAL of system.rpo, or a promotion may lose more than it`);
}

export const checkRedis: Check = (plan, report) => {
  const { replicaLagBound } = plan.redis;
  if (replicaLagBound === 0) return;
  const secondary = plan.regions.find((region) => region.role === "secondary")?.name;
  const survivors = (storeOf(plan, "redis")?.copies ?? []).filter((copy) => copy.kind === "replica" && copy.region === secondary).length;
  if (survivors < 2) report("redis.replicaLagBound", replicaLagBound, `0, or two replicas in ${secondary ?? "the secondary region"}: the survivor of the primary region would wait for a replica and refuse writes`);
};
