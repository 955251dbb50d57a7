import { describe, expect, it } from "vitest";
import { backupLifecycle, lifecycleProblems, logLifecycle, stateLifecycle, archiveLifecycle, type LifecycleRule } from "../../../components/storage/bucket-lifecycle.ts";
import { blackroad } from "../../../plan/blackroad.ts";
import { prefixesOf, repositoryPrefix } from "../../../plan/layout.ts";
import type { Plan } from "../../../plan/types.ts";
import { days, hours } from "../../../plan/units.ts";
import { backendIn, changed, scheduleIn } from "../../plan/drafts.ts";

const inputOf = (plan: Plan, shortLived: boolean) => {
  const backend = plan.backends.find(({ name }) => name === "s3");
  if (backend === undefined) throw new Error("the plan has no s3");
  return { plan, backend, shortLived };
};
const main = inputOf(blackroad, false);
const rules = backupLifecycle(main);
const ruleOf = (list: readonly LifecycleRule[], prefix: string): LifecycleRule => {
  const found = list.filter(({ filter }) => filter.prefix === prefix);
  if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} rules of ${prefix}`);
  return found[0];
};
const daysOf = ({ expiration }: LifecycleRule): number | undefined => (expiration !== undefined && "days" in expiration ? expiration.days : undefined);

describe("the lifecycle of a bucket of backups", () => {
  it("never takes pgBackRest's files, of which a kept backup may need any", () => {
    const repository = rules.filter(({ filter }) => filter.prefix?.startsWith(repositoryPrefix));
    expect(repository).toHaveLength(3);
    for (const rule of repository) expect(rule.expiration, rule.id).toBeUndefined();
  });

  it("never takes what is kept for ever, nor the one copy of an object that did not change", () => {
    for (const prefix of ["catalog/", "configuration/", "objects/"]) expect(ruleOf(rules, prefix).expiration, prefix).toBeUndefined();
  });

  it("takes nothing from prefixes that it does not know, the escrow among them", () => {
    const everywhere = rules.filter(({ filter }) => filter.prefix === undefined);
    expect(everywhere).toEqual([{ id: "leftovers", status: "Enabled", filter: {}, expiration: { expiredObjectDeleteMarker: true }, abortIncompleteMultipartUpload: { daysAfterInitiation: 1 } }]);
    expect(rules.some(({ filter }) => filter.prefix !== undefined && "escrow/".startsWith(filter.prefix))).toBe(false);
  });

  it("takes a whole backup after its retention and the time to notice that nobody else did", () => {
    for (const prefix of ["redis/", "vault/", "vectors/"]) expect(daysOf(ruleOf(rules, prefix)), prefix).toBe(90 + 7);
  });

  it("keeps what other backups are the changes to for as long again", () => {
    expect(daysOf(ruleOf(rules, "metrics/"))).toBe(2 * 90 + 7);
    expect(daysOf(ruleOf(rules, "logs/"))).toBe(2 * 30 + 7);
  });

  it("lets no backup go before the plan does", () => {
    for (const { prefix, retention } of prefixesOf(blackroad, main.backend).filter(({ prefix }) => prefix !== "agents/")) {
      const age = daysOf(ruleOf(rules, prefix));
      if (age !== undefined && retention !== "forever") expect(days(age), prefix).toBeGreaterThan(retention);
      if (retention === "forever") expect(age, prefix).toBeUndefined();
    }
  });

  it("keeps what was deleted or overwritten for as long as the lock, and a mirror's versions for its retention", () => {
    for (const rule of rules.filter(({ filter }) => filter.prefix !== undefined)) {
      expect(rule.noncurrentVersionExpiration?.noncurrentDays, rule.id).toBe(rule.filter.prefix === "objects/" ? 90 : 7);
    }
  });

  it("moves to Standard-IA after the 30 days that S3 asks, only what stays for the 30 that it bills", () => {
    const moved = rules.filter(({ transitions }) => transitions !== undefined);
    expect(moved.map(({ filter }) => filter.prefix).sort()).toEqual(["configuration/", "metrics/", "objects/", "pgbackrest/archive/main/1", "pgbackrest/archive/main/2", "pgbackrest/backup/main/", "redis/", "vault/", "vectors/"]);
    for (const { transitions } of moved) expect(transitions).toEqual([{ days: 30, storageClass: "STANDARD_IA" }]);
  });

  it("has one rule a prefix, and no prefix inside another, as S3 follows the rule that takes more away", () => {
    const prefixes = rules.flatMap(({ filter }) => (filter.prefix === undefined ? [] : [filter.prefix]));
    for (const one of prefixes) expect(prefixes.filter((other) => other.startsWith(one)), one).toEqual([one]);
    expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
  });

  it("waits as long as the longest upload may take", () => {
    const slow = changed((draft) => (scheduleIn(draft, "archive").deadline = hours(30)));
    expect(backupLifecycle(inputOf(slow, false)).at(-1)?.abortIncompleteMultipartUpload).toEqual({ daysAfterInitiation: 2 });
  });
});

describe("the lifecycle of the bucket for what is short-lived", () => {
  const short = backupLifecycle(inputOf(blackroad, true));

  it("is of those prefixes alone, for their shortest retention and lock", () => {
    expect(short.flatMap(({ filter }) => (filter.prefix === undefined ? [] : [filter.prefix]))).toEqual(["redis/", "vectors/", "agents/"]);
    for (const prefix of ["redis/", "vectors/", "agents/"]) {
      expect(daysOf(ruleOf(short, prefix)), prefix).toBe(1 + 7);
      expect(ruleOf(short, prefix).noncurrentVersionExpiration, prefix).toEqual({ noncurrentDays: 1 });
      expect(ruleOf(short, prefix).transitions, prefix).toBeUndefined();
    }
  });

  it("has what is only short-lived, the agents' checkpoints, in no rule of the other bucket", () => {
    expect(rules.some(({ filter }) => filter.prefix === "agents/")).toBe(false);
  });
});

describe("the lifecycle of a replica", () => {
  it("takes pgBackRest's files only when told to", () => {
    const told = backupLifecycle({ ...main, expireRepositoryAfter: days(180) });
    for (const prefix of ["pgbackrest/archive/main/1", "pgbackrest/archive/main/2", "pgbackrest/backup/main/"]) expect(daysOf(ruleOf(told, prefix))).toBe(180);
    expect(daysOf(ruleOf(told, "redis/"))).toBe(97);
  });

  it("is refused one that could take the full backup that everything newer needs", () => {
    expect(lifecycleProblems({ ...main, expireRepositoryAfter: days(179) })).toHaveLength(3);
    expect(lifecycleProblems({ ...main, expireRepositoryAfter: days(180) })).toEqual([]);
  });
});

describe("a lifecycle that cannot be right", () => {
  it("locks for longer than the expiry", () => {
    const plan = changed((draft) => (backendIn(draft, "s3").immutableFor = days(98)));
    expect(lifecycleProblems(inputOf(plan, false)).join("\n")).toContain("role: redis/ expires after 97 d and is locked for 98 d");
  });

  it("keeps the repository for less than the recovery window", () => {
    const plan = changed((draft) => {
      for (const name of ["postgres-full", "postgres-diff", "postgres-incremental"] as const) scheduleIn(draft, name).retention = days(6);
    });
    expect(lifecycleProblems(inputOf(plan, false)).join("\n")).toContain("is kept for 6 d, less than the recovery window of 7 d");
  });
});

describe("the other lifecycles", () => {
  it("keep access logs as long as what they are about", () => {
    expect(logLifecycle(blackroad)[0]).toMatchObject({ expiration: { days: 90 }, noncurrentVersionExpiration: { noncurrentDays: 7 } });
  });

  it("never touch Pulumi's present state", () => {
    const state = stateLifecycle(blackroad);
    expect(state.map(daysOf)).toEqual([undefined, undefined]);
    expect(state[0]?.noncurrentVersionExpiration).toEqual({ noncurrentDays: 90 });
  });

  it("send archives to cold storage at once, and let them go after their year and the time to notice", () => {
    expect(archiveLifecycle(blackroad, days(365), "DEEP_ARCHIVE")[0]).toMatchObject({ transitions: [{ days: 0, storageClass: "DEEP_ARCHIVE" }], expiration: { days: 372 }, noncurrentVersionExpiration: { noncurrentDays: 7 } });
  });
});
