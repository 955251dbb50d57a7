import { describe, expect, it } from "vitest";
import { blackroad } from "../../../../plan/blackroad.ts";
import { judgeResource } from "../../../../policies/core/judge.ts";
import type { ResourceRule } from "../../../../policies/core/rule.ts";
import { unknown } from "../../../../policies/core/value.ts";
import { cronBackOff } from "../../../../policies/rules/kubernetes/cron-back-off.ts";
import { cronDeadline } from "../../../../policies/rules/kubernetes/cron-deadline.ts";
import { cronName } from "../../../../policies/rules/kubernetes/cron-name.ts";
import { cronOverlap } from "../../../../policies/rules/kubernetes/cron-overlap.ts";
import { cronStartingDeadline } from "../../../../policies/rules/kubernetes/cron-starting-deadline.ts";
import { cronSuspended } from "../../../../policies/rules/kubernetes/cron-suspended.ts";
import { cronTimeZone } from "../../../../policies/rules/kubernetes/cron-time-zone.ts";
import { resource } from "../../../harness/policies.ts";

const settings = { plan: blackroad, production: true };
const type = "kubernetes:batch/v1:CronJob";
const rules = [cronBackOff, cronDeadline, cronName, cronOverlap, cronStartingDeadline, cronSuspended, cronTimeZone];

interface Changes {
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly job?: Readonly<Record<string, unknown>>;
  readonly metadata?: unknown;
  readonly pod?: unknown;
}
const cronJob = ({ spec = {}, job = {}, metadata = { name: "dr-redis-snapshot" }, pod = { restartPolicy: "Never" } }: Changes = {}) =>
  resource(type, {
    metadata,
    spec: { schedule: "*/5 * * * *", timeZone: "Etc/UTC", concurrencyPolicy: "Forbid", startingDeadlineSeconds: 60, suspend: false, jobTemplate: { spec: { activeDeadlineSeconds: 240, backoffLimit: 0, template: { spec: pod }, ...job } }, ...spec },
  });
const jobSpec = "spec.jobTemplate.spec";

describe("the rules of CronJobs", () => {
  it.each(rules.map((rule) => [rule.id, rule] as const))("%s lets a job pass that keeps its time", (_, rule) => {
    expect(judgeResource(rule, cronJob(), settings)).toEqual([]);
  });

  it.each<readonly [string, ResourceRule, Changes, string]>([
    ["runs that overlap", cronOverlap, { spec: { concurrencyPolicy: "Allow" } }, "spec.concurrencyPolicy"],
    ["runs that kill the one before", cronOverlap, { spec: { concurrencyPolicy: "Replace" } }, "spec.concurrencyPolicy"],
    ["runs of which nothing is said", cronOverlap, { spec: { concurrencyPolicy: undefined } }, "spec.concurrencyPolicy"],
    ["a starting deadline that the controller can miss", cronStartingDeadline, { spec: { startingDeadlineSeconds: 9 } }, "spec.startingDeadlineSeconds"],
    ["no starting deadline", cronStartingDeadline, { spec: { startingDeadlineSeconds: undefined } }, "spec.startingDeadlineSeconds"],
    ["a deadline as long as the interval", cronDeadline, { job: { activeDeadlineSeconds: 300 } }, `${jobSpec}.activeDeadlineSeconds`],
    ["no deadline", cronDeadline, { job: { activeDeadlineSeconds: undefined } }, `${jobSpec}.activeDeadlineSeconds`],
    ["a schedule that runs before the deadline", cronDeadline, { spec: { schedule: "* * * * *" } }, `${jobSpec}.activeDeadlineSeconds`],
    ["a schedule by a nickname", cronDeadline, { spec: { schedule: "@hourly" } }, "spec.schedule"],
    ["a schedule that never comes", cronDeadline, { spec: { schedule: "0 0 30 2 *" } }, "spec.schedule"],
    ["no schedule", cronDeadline, { spec: { schedule: undefined } }, "spec.schedule"],
    ["Kubernetes' own number of attempts", cronBackOff, { job: { backoffLimit: undefined } }, `${jobSpec}.backoffLimit`],
    ["too many attempts", cronBackOff, { job: { backoffLimit: 4 } }, `${jobSpec}.backoffLimit`],
    ["attempts in one pod", cronBackOff, { pod: { restartPolicy: "OnFailure" } }, `${jobSpec}.template.spec.restartPolicy`],
    ["attempts of which nothing is said", cronBackOff, { pod: {} }, `${jobSpec}.template.spec.restartPolicy`],
    ["a zone with summer time", cronTimeZone, { spec: { timeZone: "Europe/Berlin" } }, "spec.timeZone"],
    ["the controller's own zone", cronTimeZone, { spec: { timeZone: undefined } }, "spec.timeZone"],
    ["a suspended job", cronSuspended, { spec: { suspend: true } }, "spec.suspend"],
    ["a name of 53 characters", cronName, { metadata: { name: "n".repeat(53) } }, "metadata.name"],
    ["a name that Pulumi makes up", cronName, { metadata: {} }, "metadata.name"],
  ])("catch %s", (_, rule, changes, path) => {
    expect(judgeResource(rule, cronJob(changes), settings)).toMatchObject([{ kind: "violation", path, message: expect.stringContaining(rule.fix) as unknown }]);
  });

  it.each(rules.map((rule) => [rule.id, rule] as const))("%s says what it could not judge before `up`", (_, rule) => {
    const findings = judgeResource(rule, resource(type, { metadata: unknown, spec: unknown }), settings);
    expect(findings).not.toEqual([]);
    expect(new Set(findings.map(({ kind }) => kind))).toEqual(new Set(["unjudged"]));
  });

  it("take a name of 52 characters, three more attempts, and a job of which it is not said that it is suspended", () => {
    expect(judgeResource(cronName, cronJob({ metadata: { name: "n".repeat(52) } }), settings)).toEqual([]);
    expect(judgeResource(cronBackOff, cronJob({ job: { backoffLimit: 3 } }), settings)).toEqual([]);
    expect(judgeResource(cronSuspended, cronJob({ spec: { suspend: undefined } }), settings)).toEqual([]);
  });

  it("see a run without any deadline, although its schedule is not known yet", () => {
    expect(judgeResource(cronDeadline, cronJob({ spec: { schedule: unknown }, job: { activeDeadlineSeconds: undefined } }), settings)).toMatchObject([{ kind: "unjudged", path: "spec.schedule" }, { kind: "violation" }]);
  });

  it("let a job be suspended where nothing is served", () => {
    expect(judgeResource(cronSuspended, cronJob({ spec: { suspend: true } }), { ...settings, production: false })).toEqual([]);
  });
});
