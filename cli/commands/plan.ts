import type { Command } from "commander";
import { assess } from "../../plan/assess.ts";
import { blackroad } from "../../plan/blackroad.ts";
import { countCopies } from "../../plan/copies.ts";
import { costOf } from "../../plan/cost.ts";
import { limitsOf } from "../../plan/growth.ts";
import { historyOf } from "../../plan/history.ts";
import { intervalOf, nextRun } from "../../plan/schedule.ts";
import type { Plan } from "../../plan/types.ts";
import { unsealingOf } from "../../plan/unseal.ts";
import type { Rule } from "../../policies/core/rule.ts";
import { exitCodes } from "../../runner/errors.ts";
import { systemClock, type Clock } from "../../runner/system/clock.ts";
import type { CliContext } from "../context.ts";
import { renderPlan, type PlanReport } from "../render/plan.ts";

interface PlanOptions {
  readonly state: readonly string[];
  readonly settings?: string;
}

export function registerPlan(program: Command, context: CliContext, plan: Plan = blackroad, clock: Clock = systemClock, rules?: readonly Rule[]): void {
  program
    .command("plan")
    .description("objectives, copies, schedule and cost of the plan; exit 1 where a promise cannot be kept")
    .option("--state <file>", "instead, hold what the stacks have made against the plan: what `pulumi stack export` wrote, once for each stack", (file: string, before: readonly string[]) => [...before, file], [])
    .option("--settings <file>", "settings of the policies, as --policy-pack-config takes them")
    .action(({ state, settings }: PlanOptions) => {
      // Rules are loaded only where they are asked: every other command starts without them.
      if (state.length > 0) return import("./plan-states.ts").then(({ planStates }) => planStates(context, { plan, states: state, settings, now: clock.now(), ...(rules === undefined ? {} : { rules }) }));
      const report = reportOn(plan, clock.now());
      context.print(renderPlan(report), planData(report));
      if (!isKept(report)) context.setExitCode(exitCodes.failed);
      return undefined;
    });
}

function reportOn(plan: Plan, now: Date): PlanReport {
  return {
    plan,
    assessment: assess(plan),
    copies: countCopies(plan),
    history: plan.stores.map((store) => historyOf(plan, store)),
    runs: plan.schedules.map((schedule) => ({ schedule, interval: intervalOf(schedule), next: nextRun(schedule, now) })),
    cost: costOf(plan),
    limits: limitsOf(plan),
    unsealing: unsealingOf(plan),
  };
}

/** 3-2-1 is a promise like the others; so is that Vault's copies can be opened, or that it is accepted by name that not. */
const isKept = ({ assessment, copies, unsealing }: PlanReport): boolean => assessment.kept && copies.every((count) => count.kept) && unsealing.every(({ replicas, accepted }) => replicas.length > 0 || accepted);

/** Spans in seconds, sizes in bytes. */
function planData(report: PlanReport): unknown {
  const { plan, assessment, copies, history, runs, cost, limits, unsealing } = report;
  const { name, agents, system, accepted } = plan;
  return {
    plan: name,
    kept: isKept(report),
    agents,
    system,
    rates: { ...plan.rates },
    objectives: assessment.cells,
    tiers: assessment.tiers,
    copies,
    history,
    schedule: runs.map(({ schedule, interval, next }) => ({ ...schedule, interval, next: next.toISOString() })),
    cost,
    limits,
    unsealing,
    accepted,
  };
}
