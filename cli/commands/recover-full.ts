import { resolve } from "node:path";
import { Option, type Command } from "commander";
import { tiers, type Tier } from "../../plan/types.ts";
import { formatDuration } from "../../plan/units.ts";
import { DrError } from "../../runner/errors.ts";
import type { FullRecovery, FullRecoveryOptions } from "../../runner/recovery/full/recover.ts";
import type { FullStore } from "../../runner/recovery/full/sources.ts";
import type { CliContext } from "../context.ts";
import { parseTime } from "../options/time.ts";

interface RecoverOptions {
  readonly into?: string;
  readonly at?: Date;
  readonly tier: Tier;
  readonly newestPerStore: boolean;
  readonly without: readonly FullStore[];
  readonly backend?: string;
  readonly force: boolean;
  readonly restart: boolean;
  readonly dryRun: boolean;
}

/** `dr recover full`: the whole system in the order of R1; the plan is shown before anything is done. */
export function registerRecoverFull(recover: Command, context: CliContext): void {
  recover
    .command("full")
    .description("recover the whole system: infrastructure, Vault, PostgreSQL, Redis, vectors, services, health; again: goes on")
    .option("--into <dir>", "folder for the recovered servers' files, and for the journal", (path: string) => resolve(path))
    .option("--at <time>", "the newest recovery point that reaches no further than this (UTC unless it has a zone)", parseTime)
    .addOption(new Option("--tier <tier>", "what is there already: warm has the infrastructure, cold has nothing").choices(tiers.filter((tier) => tier !== "hot")).default("warm"))
    .option("--newest-per-store", "each store's own newest backup instead of a recovery point", false)
    .addOption(new Option("--without <store...>", "leave these stores out").choices(["vault", "postgres", "redis", "vectors"]).default([]))
    .option("--backend <name>", "from this backend only")
    .option("--force", "replace what the targets hold; never a running server of another recovery", false)
    .option("--restart", "forget an earlier recovery into the same folder that did not come to its end", false)
    .option("--dry-run", "print the plan, and do nothing", false)
    .action(async ({ into, at, backend, dryRun, ...options }: RecoverOptions) => {
      if (into === undefined) throw new DrError({ kind: "usage", what: "nothing says where the recovered servers' files go", where: "--into", todo: "Name a folder with --into." });
      const asked: FullRecoveryOptions = { ...options, into, ...(at === undefined ? {} : { at }), ...(backend === undefined ? {} : { backend }) };
      const run = await context.openRun();
      const [{ planFullRecovery, recoverFull }, { renderFullPlan }] = await Promise.all([import("../../runner/recovery/full/recover.ts"), import("../../runner/recovery/full/plan.ts")]);
      if (dryRun) {
        const plan = await planFullRecovery(run, asked);
        context.print(renderFullPlan(plan), { dryRun: true, plan });
        return;
      }
      const result = await recoverFull(run, asked, (plan) => {
        for (const line of renderFullPlan(plan).split("\n")) context.report({ step: line });
      });
      context.print(render(result), result);
    });
}

function render({ steps, seconds, plan, journal }: FullRecovery): string {
  return [
    `recovered ${plan.point ?? "the newest of each store"} in ${formatDuration(seconds)}; the ${plan.tier} tier allows ${formatDuration(plan.objective)}`,
    ...steps.map(({ name, outcome, seconds: taken, result }) => `  ${name.padEnd(14)} ${formatDuration(taken).padStart(7)}  ${outcome === "kept" ? "(kept from before) " : ""}${result}`),
    `the journal is ${journal}`,
    "next: a new stanza and a full backup at once (`dr init`, `dr backup all`), and the old writer's credentials revoked",
  ].join("\n");
}
