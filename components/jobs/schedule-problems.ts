import { identityOf } from "../../plan/identities.ts";
import { intervalOf } from "../../plan/schedule.ts";
import { backupSubjects, storeOfSchedule } from "../../plan/schedule-store.ts";
import type { Plan, Schedule } from "../../plan/types.ts";

/** Kubernetes adds 11 characters for each Job, whose name is a label's value of at most 63 (facts F13). */
const longestName = 52;
/** A starting deadline below it may never fire: the controller looks every 10 s (facts F13). */
export const leastStartingDeadline = 10;

export const cronJobName = (schedule: Pick<Schedule, "name">): string => `dr-${schedule.name}`;

/** How late a run may still begin: so that it ends before the next one is due, even where it takes all of its time. */
export const startingDeadlineOf = (schedule: Schedule): number => Math.floor(intervalOf(schedule) - schedule.deadline);

/** What of a plan's schedules no CronJob can run. */
export function scheduleProblems(plan: Plan): readonly string[] {
  const names = plan.schedules.map(({ name }) => name);
  const repeated = [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
  return [
    ...(plan.schedules.length === 0 ? ["plan.schedules: there is none, so nothing would be backed up"] : []),
    ...repeated.map((name) => `schedules[${name}]: is there twice; one CronJob would replace the other`),
    ...plan.schedules.flatMap((schedule) => problemsOf(plan, schedule).map((problem) => `schedules[${schedule.name}]${problem}`)),
  ];
}

function problemsOf(plan: Plan, schedule: Schedule): readonly string[] {
  const { name, command } = schedule;
  const job = cronJobName(schedule);
  const [verb, subject = ""] = command;
  const store: string | undefined = storeOfSchedule[name];
  return [
    ...(job.length > longestName ? [`: the name ${job} has ${job.length} characters, and a CronJob's has at most ${longestName}`] : []),
    ...(verb !== "backup" && verb !== "verify" ? [`.command: dr ${command.join(" ")} makes no backup and verifies none`] : []),
    ...(verb === "backup" && !backupSubjects.has(subject) ? [`.command: unknown store ${JSON.stringify(subject)}; there are ${[...backupSubjects].join(", ")}`] : []),
    ...(store !== undefined && plan.stores.every((one) => one.name !== store) ? [`: the plan has no store ${store}`] : []),
    ...thrown(() => identityOf(name)),
    ...timeProblems(schedule),
  ];
}

/** What something says of itself when it throws. */
function thrown(work: () => unknown): readonly string[] {
  try {
    work();
    return [];
  } catch (error) {
    return [`: ${error instanceof Error ? error.message : String(error)}`];
  }
}

function timeProblems(schedule: Schedule): readonly string[] {
  const unreadable = thrown(() => intervalOf(schedule));
  if (unreadable.length > 0) return unreadable;
  const interval = intervalOf(schedule);
  const { deadline } = schedule;
  if (schedule.interval !== undefined) return [`.interval: ${interval} s is a scaled plan's; cron counts whole minutes, and a CronJob would run by ${schedule.cron} instead`];
  if (interval < 60) return [`.cron: every ${interval} s is less than a minute, the least of cron`];
  if (deadline >= interval) return [`.deadline: ${deadline} s is not below the interval of ${interval} s: a run would still hold the place of the next one`];
  return startingDeadlineOf(schedule) < leastStartingDeadline ? [`.deadline: ${deadline} s leaves less than ${leastStartingDeadline} s of the interval of ${interval} s to begin in`] : [];
}
