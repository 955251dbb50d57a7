/** Tells people how a job went, after it: whatever happens here changes nothing about the job. */
import type { Plan } from "../../plan/types.ts";
import { DrError, messageOf } from "../errors.ts";
import type { RunContext } from "../context.ts";
import type { NotificationsConfig } from "./config.ts";
import { jobOf, madeGood, type Job } from "./job.ts";
import type { Notice } from "./notice.ts";
import { sendNotice } from "./send.ts";
import { verificationNotices } from "./verification.ts";

/** Seconds for one receiver, and for all of it: a job's pod waits for this. */
const sendDeadline = 5;
const wholeDeadline = 10;

export interface JobOutcome {
  /** The command without its options, e.g. `backup redis snapshot`. */
  readonly words: readonly string[];
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly result: "ok" | "partial" | "failed";
  /** What was thrown. */
  readonly error?: unknown;
}

export interface Teller {
  readonly plan: Plan;
  readonly notifications: NotificationsConfig;
  /** Absent where the run could not even be opened: then nothing of the catalog is known. */
  readonly run?: RunContext | undefined;
}

/** Sends what is to be said, if anything is. Returns what went wrong with it; never throws, never takes long. */
export async function tellOutcome(teller: Teller, outcome: JobOutcome): Promise<readonly string[]> {
  const late = Promise.withResolvers<readonly string[]>();
  const timer = setTimeout(() => late.resolve([`people were not told within ${wholeDeadline} s`]), wholeDeadline * 1_000);
  const work = tell(teller, outcome).catch((error: unknown) => [`people were not told: ${messageOf(error)}`]);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function tell({ plan, notifications, run }: Teller, outcome: JobOutcome): Promise<readonly string[]> {
  const notices = outcome.words[0] === "verify" ? await verificationNotices(plan, run, outcome, failureNotice) : await backupNotices(plan, run, outcome);
  return (await Promise.all(notices.map((notice) => sendNotice(plan, notifications, notice, sendDeadline)))).flat();
}

async function backupNotices(plan: Plan, run: RunContext | undefined, outcome: JobOutcome): Promise<readonly Notice[]> {
  const job = jobOf(plan, outcome.words);
  if (job === undefined) return [];
  const notice = outcome.result === "ok" ? await recoveryNotice(run, job, outcome) : failureNotice(job, outcome);
  return notice === undefined ? [] : [notice];
}

const saidOf = ({ words, startedAt, finishedAt }: JobOutcome) => ({ command: `dr ${words.join(" ")}`, startedAt, finishedAt });

function failureNotice(job: Notice["job"], outcome: JobOutcome): Notice {
  const { result, error } = outcome;
  const status = result === "partial" ? "partial" : "failed";
  const look = "`dr catalog list` and the job's log say more.";
  if (error instanceof DrError) return { status, job, ...saidOf(outcome), what: `${error.what} (${error.where})`, todo: error.todo };
  const what = error === undefined ? (status === "partial" ? "At least one copy stands, and at least one failed" : "No copy stands") : messageOf(error);
  return { status, job, ...saidOf(outcome), what, todo: look };
}

async function recoveryNotice(run: RunContext | undefined, job: Job, outcome: JobOutcome): Promise<Notice | undefined> {
  const failed = run === undefined ? undefined : await madeGood(run, job, outcome.startedAt);
  if (failed === undefined) return undefined;
  return { status: "recovered", job, ...saidOf(outcome), what: "Every backend has the backup", makesGood: { backup: failed.id, startedAt: failed.startedAt } };
}
