import { metrics } from "../../../plan/metrics.ts";
import { overdueAfter } from "../../../plan/overdue.ts";
import type { Schedule } from "../../../plan/types.ts";
import type { ResourceReader } from "../../core/resource.ts";
import type { StackRule, Verdict } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { promSeconds, rulesNamed, type AlertRule } from "./alert-rules.ts";
import { ofType, scheduleLabel, serves, stacksIn, types, whole } from "./parts.ts";

const commandPath = "spec.jobTemplate.spec.template.spec.containers";
/** The whole of an expression: what is added to a comparison can keep it from ever firing. */
const overduePattern = new RegExp(`^\\s*time\\(\\) - ${metrics.lastBackup.name}\\{type=~?"([^"]+)"\\}\\s*>\\s*([\\d.]+)\\s*$`);

export const scheduleDeclared: StackRule = {
  kind: "stack",
  scope: "stack",
  id: "schedule-declared",
  severity: "critical",
  enforcement: "mandatory",
  protects: "A schedule of the plan that no job runs makes no backup, and one that nobody watches fails for months before somebody needs it.",
  fix: "Declare a CronJob for each schedule of the plan, labelled with its name and running its command, and a rule BackupOverdue that names it with a threshold of its own. What is not run here (a vector store, a services' bucket) is taken out of the plan, so that nobody takes it for protected.",
  breaks: {
    "metadata.labels.blackroad.dr/schedule": "another",
    [`${commandPath}[*].command`]: ["true"],
    [`${commandPath}[*].args`]: ["--help"],
    "spec.groups[*].rules[*].expr": "vector(0)",
    "spec.groups[*].rules[*].for": "30d",
  },
  selects: [commandPath, "spec.groups", "spec.groups[*].rules", "spec.groups[*].rules[*].alert"],
  judge(resources, verdict) {
    for (const [stack, members] of stacksIn(resources)) {
      if (!serves(members)) continue;
      const jobs = jobsBySchedule(members, verdict);
      for (const schedule of verdict.plan.schedules) {
        const job = jobs.get(schedule.name);
        if (job === undefined) verdict.violation(whole(stack), "", `no CronJob runs ${schedule.name}, a schedule of the plan`);
        else runsIt(job, schedule, verdict);
      }
      watched(stack, members, verdict);
    }
  },
};

function jobsBySchedule(members: readonly ResourceReader[], verdict: Verdict): ReadonlyMap<string, ResourceReader> {
  return new Map(ofType(members, types.cronJob).flatMap((job) => {
    const label = job.read(scheduleLabel);
    if (label.state === "unknown") verdict.unjudged(job, job.pathOf(scheduleLabel));
    return label.state === "known" ? [[String(label.value), job] as const] : [];
  }));
}

/** What stands between the program and what it is to do: another word could make it do nothing, as --help does. */
const isConfiguration = (word: string): boolean => word === "--config" || word === "--json" || word === "--leader-only" || /^--config=\S+$/.test(word) || word.startsWith("/");

function runsIt(job: ResourceReader, schedule: Schedule, verdict: Verdict): void {
  const containers = job.list(commandPath);
  if (containers === undefined) verdict.unjudged(job, commandPath);
  for (const container of containers ?? []) {
    verdict.property(container, "args", (args) => (args === undefined || (Array.isArray(args) && args.length === 0) ? undefined : `${shown(args)}: ${schedule.name} asks for its command and no more`));
    verdict.property(container, "command", (command) => {
      const words = Array.isArray(command) ? command.map(String) : [];
      return words[0] === "dr" && words.slice(1, -schedule.command.length).every(isConfiguration) && words.slice(-schedule.command.length).join(" ") === schedule.command.join(" ") ? undefined : `is ${words.join(" ") || "unset"}, where ${schedule.name} asks for dr ${schedule.command.join(" ")}`;
    });
  }
}

/** Each schedule stands in a rule on overdue backups whose threshold is its own. */
function watched(stack: string, members: readonly ResourceReader[], verdict: Verdict): void {
  const alert = verdict.plan.alerts.find(({ kind }) => kind === "overdue");
  if (alert === undefined) return; // the plan's own checks say so
  const rules = rulesNamed(members, [alert.name], verdict);
  const thresholds = new Map(rules.flatMap((rule) => thresholdsIn(rule)));
  for (const rule of rules) {
    verdict.property(rule.reader, "for", (value) => {
      const held = promSeconds(value);
      return held !== undefined && held <= alert.for ? undefined : `is ${JSON.stringify(value)}, more than the plan's ${alert.for} s`;
    });
  }
  if (rules.some(({ expr }) => expr === undefined)) return; // said to be unjudged
  for (const schedule of verdict.plan.schedules) {
    const threshold = thresholds.get(schedule.name);
    const limit = overdueAfter(verdict.plan, schedule);
    if (threshold === undefined) verdict.violation(rules[0]?.reader ?? whole(stack), rules[0]?.reader.where ?? "", `no rule ${alert.name} watches ${schedule.name}`);
    else if (threshold > limit) verdict.violation(rules[0]?.reader ?? whole(stack), rules[0]?.reader.where ?? "", `${schedule.name} is called overdue after ${threshold} s, more than ${limit} s`);
  }
}

function thresholdsIn({ expr }: AlertRule): readonly (readonly [string, number])[] {
  const found = overduePattern.exec(expr ?? "");
  return found === null ? [] : (found[1] ?? "").split("|").map((name) => [name, Number(found[2])] as const);
}
