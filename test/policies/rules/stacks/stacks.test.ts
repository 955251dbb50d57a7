import { describe, expect, it } from "vitest";
import { blackroad as plan } from "../../../../plan/blackroad.ts";
import { judgeStack } from "../../../../policies/core/judge.ts";
import type { ResourceFacts } from "../../../../policies/core/resource.ts";
import type { StackRule } from "../../../../policies/core/rule.ts";
import { unknown } from "../../../../policies/core/value.ts";
import { dataProtected } from "../../../../policies/rules/stacks/data-protected.ts";
import { lifecycleWindow } from "../../../../policies/rules/stacks/lifecycle-window.ts";
import { objectiveAlerts } from "../../../../policies/rules/stacks/objective-alerts.ts";
import { regionsDiffer } from "../../../../policies/rules/stacks/regions-differ.ts";
import { rpoKept } from "../../../../policies/rules/stacks/rpo-kept.ts";
import { scheduleDeclared } from "../../../../policies/rules/stacks/schedule-declared.ts";
import { statefulBelongs } from "../../../../policies/rules/stacks/stateful-belongs.ts";
import { threeTwoOne } from "../../../../policies/rules/stacks/three-two-one.ts";
import { resource } from "../../../harness/policies.ts";
import { alerts, changed, claim, cronJob, groups, patroni, r2, s3, system } from "./system.ts";

const judge = (rule: StackRule, resources: readonly ResourceFacts[]) => judgeStack(rule, resources, { plan, production: true });
const nothing = (): boolean => false;
const named = (name: string) => (one: ResourceFacts): boolean => one.name === name;
/** The alerts with a part changed of one rule, or of those of its name that have some words in their expression. */
const withAlert = (name: string, change: Readonly<Record<string, unknown>>, words = "") => alerts(groups.map((group) => ({ ...group, rules: group.rules.map((rule) => (rule.alert === name && rule.expr.includes(words) ? { ...rule, ...change } : rule)) })));

it.each([threeTwoOne, regionsDiffer, rpoKept, lifecycleWindow, objectiveAlerts, scheduleDeclared, statefulBelongs, dataProtected].map((rule) => [rule.id, rule] as const))("%s lets the plan pass as it is declared", (_, rule) => {
  expect(judge(rule, system())).toEqual([]);
});

type Case = readonly [rule: StackRule, what: string, resources: readonly ResourceFacts[], message: RegExp];
const cases: readonly Case[] = [
  [threeTwoOne, "a replica's volume is missing", changed(named("postgres-us-west-2-0")), /asynchronous-replica/],
  [threeTwoOne, "only etcd is in the secondary region", changed(named("postgres-us-west-2-0"), claim("postgres", "us-west-2", 7, "etcd")), /asynchronous-replica/],
  [threeTwoOne, "every object store is missing", changed(({ type }) => /Bucket$|Vault$/.test(type)), /2 media/],
  [regionsDiffer, "R2 is on the originals' continent", changed(nothing, r2({ location: "enam" })), /plan has europe/],
  [regionsDiffer, "R2's place is unset", changed(nothing, r2({ location: undefined })), /not set/],
  [regionsDiffer, "S3 is in the primary region", changed(nothing, s3("blackroad-backups-dr", "us-west-2", { region: "us-east-1" })), /us-west-2/],
  [regionsDiffer, "the copy is beside its source", changed(nothing, s3("blackroad-backups-dr-replica", "eu-west-1", { region: "us-west-2" })), /eu-west-1/],
  [regionsDiffer, "there is no copy", changed(named("blackroad-backups-dr-replica")), /copied to/],
  [regionsDiffer, "there is one provider", changed(named("r2")), /one provider/],
  [rpoKept, "a job runs too seldom", changed(nothing, cronJob("redis-snapshot", { schedule: "0 * * * *" })), /redis loses up to/],
  [rpoKept, "a job has no deadline", changed(nothing, cronJob("vault-snapshot", { deadline: null })), /Infinity/],
  [rpoKept, "a schedule is none", changed(nothing, cronJob("vectors-snapshot", { schedule: "never" })), /vectors/],
  [rpoKept, "a store has no job", changed(named("redis-snapshot")), /no job and no archive keeps redis/],
  [rpoKept, "the archive is late", changed(nothing, patroni("1h")), /postgres loses up to/],
  [rpoKept, "the archive has no bound", changed(nothing, patroni(null)), /postgres loses up to/],
  [objectiveAlerts, "the alert comes too late", changed(nothing, withAlert("RecoveryPointAging", { for: "10m" })), /is broken by then/],
  [objectiveAlerts, "the threshold is the objective", changed(nothing, withAlert("RecoveryPointAging", { expr: "blackroad_recovery_point_age_seconds > 900" })), /is broken by then/],
  [objectiveAlerts, "the alert looks at something else", changed(nothing, withAlert("WalArchiveLate", { expr: "up > 180" })), /no threshold/],
  [objectiveAlerts, "the alert has no expression", changed(nothing, withAlert("WalArchiveLate", { expr: undefined })), /no threshold/],
  [objectiveAlerts, "for is no duration", changed(nothing, withAlert("WalArchiveLate", { for: "soon" })), /no duration/],
  [objectiveAlerts, "there is no alert", changed(named("alerts")), /no alert RecoveryPointAging/],
  [objectiveAlerts, "logs are not watched", changed(nothing, withAlert("StoreRecoveryPointAging", { expr: 'blackroad_store_recovery_point_age_seconds{store=~"metrics|configuration"} > 2700' }, '"logs')), /of logs is broken/],
  [objectiveAlerts, "metrics are called old after an hour", changed(nothing, withAlert("StoreRecoveryPointAging", { expr: 'blackroad_store_recovery_point_age_seconds{store=~"logs|metrics|configuration"} > 3600' }, '"logs')), /the objective of 3600 s is broken by then/],
  [objectiveAlerts, "the comparison is one half of what is asked", changed(nothing, withAlert("RecoveryPointAging", { expr: "blackroad_recovery_point_age_seconds > 450 and vector(0) > 1" })), /no threshold/],
  [objectiveAlerts, "the metric is another", changed(nothing, withAlert("RecoveryPointAging", { expr: "not_blackroad_recovery_point_age_seconds > 450" })), /no threshold/],
  [scheduleDeclared, "overdue is never true", changed(nothing, withAlert("BackupOverdue", { expr: 'time() - blackroad_last_backup_timestamp{type=~"redis-snapshot"} > 7200 and vector(0) > 1' }, "redis-snapshot")), /no rule BackupOverdue watches redis-snapshot/],
  [scheduleDeclared, "a job is missing", changed(named("verify")), /no CronJob runs verify/],
  [scheduleDeclared, "a job has no label", changed(nothing, cronJob("archive", { label: null })), /no CronJob runs archive/],
  [scheduleDeclared, "a job does something else", changed(nothing, cronJob("archive", { command: ["true"] })), /asks for dr backup archive/],
  [scheduleDeclared, "a job only says what it would do", changed(nothing, cronJob("redis-snapshot", { command: ["echo", "backup", "redis", "snapshot"] })), /asks for dr backup redis snapshot/],
  [scheduleDeclared, "a job asks for help first", changed(nothing, cronJob("redis-snapshot", { command: ["dr", "--help", "backup", "redis", "snapshot"] })), /asks for dr backup redis snapshot/],
  [scheduleDeclared, "nobody watches", changed(named("alerts")), /no rule BackupOverdue watches/],
  [scheduleDeclared, "overdue is called late", changed(nothing, withAlert("BackupOverdue", { for: "2h" })), /more than the plan's/],
  [scheduleDeclared, "the threshold is too high", changed(nothing, alerts([{ rules: [{ alert: "BackupOverdue", for: "5m", expr: `time() - blackroad_last_backup_timestamp{type=~"${plan.schedules.map(({ name }) => name).join("|")}"} > 9999999` }] }])), /is called overdue after/],
  [statefulBelongs, "a volume is nobody's", changed(nothing, claim("mysql", "us-east-1", 0)), /no store of the plan/],
  [statefulBelongs, "servers with volumes are unlabelled", changed(nothing, resource("kubernetes:apps/v1:StatefulSet", { spec: { volumeClaimTemplates: [{}] } })), /is unset/],
  [statefulBelongs, "a bucket is nobody's", changed(nothing, s3("uploads", "us-east-1")), /no bucket that the plan knows/],
  [statefulBelongs, "a bucket of R2 is nobody's", changed(nothing, r2({ name: "uploads" })), /no bucket that the plan knows/],
  ...["aws:sqs/queue:Queue", "aws:msk/cluster:Cluster", "aws:s3/directoryBucket:DirectoryBucket", "kubernetes:postgresql.cnpg.io/v1:Cluster", "kubernetes:redis.redis.opstreelabs.in/v1beta2:RedisCluster", "aws:cognito/userPool:UserPool"].map((type): Case => [statefulBelongs, `a ${type} was added`, changed(nothing, resource(type, {})), /no store of the plan is kept there/]),
  [statefulBelongs, "a managed database was added", changed(nothing, resource("aws:rds/instance:Instance", {})), /no store of the plan is kept there/],
  [dataProtected, "volumes go with their servers", changed(nothing, resource("kubernetes:apps/v1:StatefulSet", { spec: { persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete" } } })), /the volumes go with the servers/],
  [dataProtected, "a volume is not protected", changed(nothing, { ...claim("redis", "us-east-1", 0), protect: false }), /is not protected/],
];
it.each(cases.map(([rule, what, resources, message]) => [rule.id, what, rule, resources, message] as const))("%s catches it: %s", (_, __, rule, resources, message) => {
  const found = judge(rule, resources);
  expect(found.map(({ kind }) => kind)).toContain("violation");
  expect(found.map((one) => one.message).join("\n")).toMatch(message);
});

it.each<readonly [StackRule, string, readonly ResourceFacts[]]>([
  [threeTwoOne, "bucket", changed(nothing, s3("blackroad-backups-dr", "us-west-2", { bucket: unknown }))],
  [regionsDiffer, "region", changed(nothing, s3("blackroad-backups-dr", "us-west-2", { region: unknown }))],
  [rpoKept, "spec.schedule", changed(nothing, cronJob("redis-snapshot", { schedule: unknown }))],
  [objectiveAlerts, "spec.groups", changed(nothing, alerts(unknown))],
  [scheduleDeclared, "spec.groups", changed(nothing, alerts(unknown))],
  [statefulBelongs, "bucket", changed(nothing, s3("x", "us-east-1", { bucket: unknown }))],
  [lifecycleWindow, "bucket", [resource("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", { bucket: unknown })]],
].map(([rule, path, resources]) => [rule as StackRule, path as string, resources as readonly ResourceFacts[]] as const))("%o says that it could not judge %s before `up`", (rule, path, resources) => {
  expect(judge(rule, resources)).toContainEqual(expect.objectContaining({ kind: "unjudged", path }));
});

describe("lifecycle-window", () => {
  const s3Rule = (days: unknown, prefix = "redis/", bucket = "blackroad-backups-dr") => resource("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", { bucket, rules: [{ filter: { prefix }, expiration: { days } }] });
  const r2Rule = (maxAge: unknown, prefix: string) => resource("cloudflare:index/r2BucketLifecycle:R2BucketLifecycle", { bucketName: "blackroad-backups", rules: [{ conditions: { prefix }, deleteObjectsTransition: { condition: { maxAge } } }] });
  it.each<readonly [string, ResourceFacts, readonly string[]]>([
    ["keeps the window", s3Rule(7), []],
    ["expires nothing", s3Rule(undefined), []],
    ["expires within the window", s3Rule(6), ["violation rules[0].expiration.days"]],
    ["expires everything within the window", s3Rule(6, ""), ["violation rules[0].expiration.days"]],
    ["expires in the copy", s3Rule(1, "vault/", "blackroad-backups-dr-replica"), ["violation rules[0].expiration.days"]],
    ["expires access logs", s3Rule(1, "", "blackroad-access-logs-us-east-1"), []],
    ["is not known", s3Rule(unknown), ["unjudged rules[0].expiration.days"]],
    ["expires checkpoints when the plan does", r2Rule(86_400, "agents/"), []],
    ["expires checkpoints before", r2Rule(3_600, "agents/"), ["violation rules[0].deleteObjectsTransition.condition.maxAge"]],
    ["expires WAL within the window", r2Rule(86_400, "pgbackrest/archive/"), ["violation rules[0].deleteObjectsTransition.condition.maxAge"]],
  ])("judges a rule that %s", (_, one, expected) => {
    expect(judge(lifecycleWindow, [one]).map(({ kind, path }) => `${kind} ${path}`)).toEqual(expected);
  });
});
