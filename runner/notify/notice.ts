/** What is said, and in which form it is sent. Pure. */
import { overdueAfter } from "../../plan/overdue.ts";
import type { Plan } from "../../plan/types.ts";
import { severityOf, type Job, type Severity } from "./job.ts";

export interface Notice {
  /** `partial`: at least one backend has the backup, and at least one has not. */
  readonly status: "failed" | "partial" | "recovered";
  readonly job: Pick<Job, "schedule">;
  /** Of a verification: which backups it is about, e.g. `postgres-full`, and how bad it is that they are not good. */
  readonly subject?: { readonly backup: string; readonly severity: Severity };
  readonly command: string;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  /** What happened, for people. */
  readonly what: string;
  /** What to do about it. */
  readonly todo?: string;
  /** Of a recovery: the run that it makes good. */
  readonly makesGood?: { readonly backup: string; readonly startedAt: string };
}

export const alertName = "BackupJobFailed";

/** Alertmanager's `postableAlert` (API v2). The labels are the same when it is over: by them it finds the alert. */
export function alertOf(plan: Plan, notice: Notice, labels: Readonly<Record<string, string>>) {
  const { job, status, finishedAt, subject } = notice;
  const over = status === "recovered";
  // Until the next run should have told more: from then on it is the alert on overdue backups that speaks.
  const until = new Date(finishedAt.getTime() + overdueAfter(plan, job.schedule) * 1_000);
  return {
    labels: { ...labels, alertname: alertName, type: job.schedule.name, plan: plan.name, severity: severityIn(plan, notice), ...(subject === undefined ? {} : { backup: subject.backup }) },
    annotations: { summary: summaryOf(notice), description: descriptionOf(notice) },
    startsAt: over && notice.makesGood !== undefined ? notice.makesGood.startedAt : finishedAt.toISOString(),
    endsAt: (over ? finishedAt : until).toISOString(),
  };
}

const severityIn = (plan: Plan, { job, subject }: Notice): Severity => subject?.severity ?? severityOf(plan, job);

/** The body of a webhook's request; `text` is what chats show. */
export function webhookBody(plan: Plan, notice: Notice, labels: Readonly<Record<string, string>>) {
  const { job, status, command, startedAt, finishedAt, what, todo, makesGood, subject } = notice;
  return {
    version: 1,
    text: `${summaryOf(notice)}. ${descriptionOf(notice)}`,
    status, severity: severityIn(plan, notice), plan: plan.name, type: job.schedule.name, ...(subject === undefined ? {} : { backup: subject.backup }), command, labels,
    startedAt: startedAt.toISOString(), finishedAt: finishedAt.toISOString(),
    what, ...(todo === undefined ? {} : { todo }), ...(makesGood === undefined ? {} : { makesGood: makesGood.backup }),
  };
}

function summaryOf({ status, job, subject }: Notice): string {
  const { name } = job.schedule;
  if (name === "verify") return `Verification${subject === undefined ? "" : ` of ${subject.backup}`} ${status === "recovered" ? "is good again" : "failed"}`;
  if (status === "recovered") return `Backup ${name} works again`;
  return status === "partial" ? `Backup ${name} is not in every backend` : `Backup ${name} failed`;
}

const descriptionOf = ({ what, todo, command, makesGood }: Notice): string =>
  [`${what}.`, ...(todo === undefined ? [] : [todo]), ...(makesGood === undefined ? [] : [`The run before it, ${makesGood.backup}, had failed.`]), `The command was \`${command}\`.`].join(" ");
