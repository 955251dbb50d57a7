import { backupLoss } from "../../../plan/loss.ts";
import { promisedLoss } from "../../../plan/promised-loss.ts";
import { longestInterval } from "../../../plan/schedule.ts";
import { storeOfSchedule } from "../../../plan/schedule-store.ts";
import type { ResourceReader } from "../../core/resource.ts";
import type { StackRule, Verdict } from "../../core/rule.ts";
import { patroniFiles, secondsOf } from "../postgres/files.ts";
import { ofType, scheduleLabel, serves, stacksIn, types, whole } from "./parts.ts";

export const rpoKept: StackRule = {
  kind: "stack",
  scope: "stack",
  id: "rpo-kept",
  severity: "critical",
  enforcement: "mandatory",
  protects: "What is newer than the last run, and than the run that is then under way, is lost with everything live: the objective is kept by the interval and the deadline together, or by the archive of the log.",
  fix: "Let the job run as often as the plan says and give it the plan's deadline, and set archive_timeout to the plan's.",
  breaks: {
    "spec.schedule": "0 0 1 * *",
    "spec.jobTemplate.spec.activeDeadlineSeconds": 8_640_000,
    "data.patroni-pg-*.yml.postgresql.parameters.archive_timeout": "10d",
  },
  selects: ["data", "data.patroni-pg-*.yml", "metadata.labels.blackroad.dr/schedule"],
  judge(resources, verdict) {
    for (const [stack, members] of stacksIn(resources)) {
      if (!serves(members)) continue;
      const jobs = ofType(members, types.cronJob).map((job) => ({ job, schedule: scheduleFor(job, verdict) }));
      const losses = new Map(jobs.flatMap(({ job, schedule }) => (schedule === undefined ? [] : [[schedule.name, lossBy(job, backupLoss(verdict.plan, schedule.name, verdict.plan.rates), verdict)] as const])));
      const archived = archiveLoss(members, verdict);
      for (const store of verdict.plan.stores) {
        const own = [...losses].filter(([name]) => storeOfSchedule[name] === store.name).map(([, loss]) => loss);
        const all = store.name === "postgres" ? [...own, archived] : own;
        const least = Math.min(Infinity, ...all.filter((loss) => loss !== undefined));
        const limit = promisedLoss(verdict.plan, store);
        // What could not be judged was said to be so.
        if (least > limit && !all.includes(undefined)) verdict.violation(whole(stack), "", least === Infinity ? `no job and no archive keeps ${store.name}` : `${store.name} loses up to ${least} s, more than the ${limit} s of its objective`);
      }
    }
  },
};

function scheduleFor(job: ResourceReader, verdict: Verdict) {
  const label = job.read(scheduleLabel);
  if (label.state === "unknown") verdict.unjudged(job, job.pathOf(scheduleLabel));
  return verdict.plan.schedules.find(({ name }) => label.state === "known" && name === label.value);
}

/** What a job's newest result can lack, held against what the plan reckons with; `undefined` where it is not known. */
function lossBy(job: ResourceReader, limit: number, verdict: Verdict): number | undefined {
  const [schedule, deadline] = [job.read("spec.schedule"), job.read("spec.jobTemplate.spec.activeDeadlineSeconds")];
  if (schedule.state === "unknown") verdict.unjudged(job, "spec.schedule");
  if (deadline.state === "unknown") verdict.unjudged(job, "spec.jobTemplate.spec.activeDeadlineSeconds");
  if (schedule.state === "unknown" || deadline.state === "unknown") return undefined;
  const interval = schedule.state === "known" ? intervalOf(schedule.value) : Infinity;
  const loss = interval + (deadline.state === "known" ? Number(deadline.value) : Infinity);
  if (!(loss <= limit)) verdict.violation(job, "spec.schedule", `with its deadline leaves up to ${loss} s behind, where the plan reckons with ${limit} s`);
  return loss;
}

function intervalOf(cron: unknown): number {
  try {
    return longestInterval(String(cron));
  } catch {
    return Infinity; // no cron expression: it never runs
  }
}

/** Of the write-ahead log, as the worst of the servers archives it; `undefined` where it is not known. */
function archiveLoss(members: readonly ResourceReader[], verdict: Verdict): number | undefined {
  const files = ofType(members, types.configMap).flatMap((resource) => patroniFiles(resource, verdict));
  const timeouts = files.map((file) => {
    const reading = file.read("postgresql.parameters.archive_timeout");
    if (reading.state === "unknown") return undefined;
    const value = reading.state === "known" ? secondsOf(reading.value) : undefined;
    return value === undefined || value <= 0 ? Infinity : value;
  });
  if (timeouts.includes(undefined)) return undefined;
  const worst = files.length === 0 ? Infinity : Math.max(...timeouts.filter((timeout) => timeout !== undefined));
  return worst + verdict.plan.postgres.pushBoundDegraded;
}
