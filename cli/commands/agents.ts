import type { Command } from "commander";
import { formatDuration, formatSize } from "../../plan/units.ts";
import type { Checkpoint } from "../../runner/agents/checkpoint.ts";
import type { AgentRecoveryOptions, AgentsRecovery } from "../../runner/agents/recover.ts";
import { exitCodes } from "../../runner/errors.ts";
import type { CliContext } from "../context.ts";
import { parseTime } from "../options/time.ts";
import { renderCopies } from "../render/copies.ts";

interface RecoverOptions {
  readonly at?: Date;
  readonly checkpoint?: string;
  readonly keepPresent: boolean;
  readonly dryRun: boolean;
}

/** Failures that are shown to a person; `--json` has all of them. */
const shownFailures = 10;

/** `dr backup agents checkpoint`, `dr recover agent <id>`, `dr recover agents` */
export function registerAgents(backup: Command, recover: Command, context: CliContext): void {
  backup
    .command("agents")
    .description("agents: what PostgreSQL and Redis hold of each")
    .command("checkpoint")
    .description("checkpoint agents, packed and encrypted, into every backend at once")
    .option("--only <id...>", "these agents (default: all)")
    .option("--leader-only", "do nothing, and end well, where PostgreSQL is a replica", false)
    .action(async ({ only, leaderOnly }: { readonly only?: readonly string[]; readonly leaderOnly: boolean }) => {
      const { checkpointAgents, checkpointWhereLeader } = await import("../../runner/agents/checkpoint.ts");
      const result = await (leaderOnly ? checkpointWhereLeader : checkpointAgents)(await context.openRun(), only === undefined ? {} : { only });
      if ("elsewhere" in result) {
        context.print(`nothing to do: ${result.elsewhere}`, result);
        return;
      }
      context.print(renderCheckpoint(result), result);
      if (result.outcome === "partial") context.setExitCode(exitCodes.partial);
    });
  recoverOptions(recover.command("agent").description("recover one agent; what it is now is checkpointed first").argument("<id>", "the agent"))
    .action(async (id: string, options: RecoverOptions) => {
      const { recoverAgent } = await import("../../runner/agents/recover.ts");
      const result = await recoverAgent(await context.openRun(), id, asked(options));
      context.print(renderRecovery(result), result);
    });
  recoverOptions(recover.command("agents").description("recover all agents, or some; what they are now is checkpointed first").option("--only <id...>", "these agents (default: all)"))
    .action(async (options: RecoverOptions & { readonly only?: readonly string[] }) => {
      const { recoverAgents } = await import("../../runner/agents/recover.ts");
      const result = await recoverAgents(await context.openRun(), { ...asked(options), ...(options.only === undefined ? {} : { only: options.only }) });
      context.print(renderRecovery(result), result);
      if (result.failed.length > 0) context.setExitCode(result.agents > 0 ? exitCodes.partial : exitCodes.failed);
    });
}

function recoverOptions(command: Command): Command {
  return command
    .option("--at <time>", "the newest checkpoint at or before this (UTC unless it has a zone)", parseTime)
    .option("--checkpoint <id>", "this checkpoint of the catalog and no other")
    .option("--no-keep-present", "do not checkpoint what is there now")
    .option("--dry-run", "say which checkpoints it would be, and do nothing", false);
}

/** The default of keeping the present depends on the run: only a refusal is passed on. */
function asked({ at, checkpoint, keepPresent, dryRun }: RecoverOptions): AgentRecoveryOptions {
  return { dryRun, ...(at === undefined ? {} : { at }), ...(checkpoint === undefined ? {} : { checkpoint }), ...(keepPresent ? {} : { keepPresent }) };
}

function renderCheckpoint({ record, agents, keys, outcome, requests }: Checkpoint): string {
  const sent = Object.entries(requests).map(([backend, count]) => `${backend} ${count}`).join(", ");
  return [
    `${record.id}: ${agents} agents, ${keys} keys, ${formatSize(record.sourceBytes)}, reaches to ${record.watermark.time}`,
    ...renderCopies(record.copies),
    `requests: ${sent}`,
    ...(Number(record.details["withoutRow"]) > 0 ? [`left out: ${Number(record.details["withoutRow"])} agents that only Redis knows`] : []),
    ...(outcome === "partial" ? ["partial: not every backend has all of it"] : []),
  ].join("\n");
}

function renderRecovery(result: AgentsRecovery): string {
  const { agents, failed, checkpoints, rejected, before, seconds } = result;
  const from = checkpoints.map(({ id, time, agents: count }) => `  ${count} from ${id}, which reaches to ${time}`);
  const failures = failed.slice(0, shownFailures).map(({ id, error }) => `  ${id}: ${error}`);
  if (result.dryRun) return [`would recover ${agents} agents`, ...from, ...failures].join("\n");
  return [
    `recovered ${agents} agents: ${result.tasks} tasks, ${result.episodes} episodes, ${result.keys} keys in ${formatDuration(seconds.total)}`,
    ...from,
    ...(result.expiredKeys > 0 ? [`${result.expiredKeys} keys have expired since`] : []),
    ...(before === undefined ? [] : [`what was there before is in ${before}; --checkpoint ${before} brings it back`]),
    ...rejected.map(({ backend, error }) => `damaged in ${backend}: ${error}`),
    ...(failed.length === 0 ? [] : [`NOT recovered: ${failed.length}`, ...failures, ...(failed.length > shownFailures ? [`  and ${failed.length - shownFailures} more (--json lists all)`] : [])]),
  ].join("\n");
}
