import { resolve } from "node:path";
import { InvalidArgumentError, Option, type Command } from "commander";
import { tiers, type Tier } from "../../plan/types.ts";
import { DrError } from "../../runner/errors.ts";
import type { RecoveryTarget } from "../../runner/recovery/target.ts";
import type { RecoverOptions } from "../../runner/stores/postgres/recover.ts";
import type { CliContext } from "../context.ts";
import { parsePort } from "../options/port.ts";
import { renderRecovery } from "../render/recovery.ts";

interface PlaceOptions {
  readonly into?: string;
  readonly port?: number;
  readonly socketDirectory?: string;
  readonly timeline?: number;
  readonly force: boolean;
  readonly promote: boolean;
  readonly tier?: Tier;
  readonly backend?: string;
  readonly dryRun: boolean;
}

interface TargetOptions {
  readonly time?: string;
  readonly xid?: string;
  readonly lsn?: string;
  readonly name?: string;
}

const absolute = (path: string): string => resolve(path);

function whole(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0 && value < 2 ** 31) return value;
  throw new InvalidArgumentError("a whole number above 0 is expected.");
}

const withTarget = (command: Command): Command =>
  command
    .option("--time <time>", "up to this moment, it included (UTC unless it has a zone)")
    .option("--xid <id>", "up to this transaction, it included")
    .option("--lsn <lsn>", "up to this position in the WAL")
    .option("--name <name>", "up to this restore point");

const withPlace = (command: Command): Command =>
  command
    .option("--into <dir>", "directory of the recovered database, empty or absent", absolute)
    .option("--port <n>", "names the socket, as nothing listens on the network (default: 5432)", parsePort)
    .option("--socket-directory <dir>", "where the socket goes (default: INTO.socket)", absolute)
    .option("--timeline <n>", "along this timeline (default: production's own)", whole)
    .option("--backend <name>", "from this repository only (default: the best that can be read)")
    .addOption(new Option("--tier <tier>", "compare the estimate with this tier's objective").choices([...tiers]))
    .option("--no-promote", "stay at the target and answer queries, so that it can be looked at")
    .option("--force", "overwrite another database there, move foreign files aside; never a running one, never production's", false)
    .option("--dry-run", "print the recovery plan, and do nothing", false);

/** `dr recover postgres <backup|latest>` and `dr recover pitr "<time>"`: the plan, then the recovery. */
export function registerRecoverPostgres(recover: Command, context: CliContext): void {
  withPlace(withTarget(recover.command("postgres").argument("<backup>", "an id of the catalog, a label of pgBackRest, or latest")))
    .description("recover PostgreSQL into a server of its own, which archives nothing and is reached by a socket alone")
    .option("--immediate", "the backup as it is, without the WAL after it", false)
    .action(async (backup: string, options: PlaceOptions & TargetOptions & { readonly immediate: boolean }) => {
      const run = await context.openRun();
      const { parseTarget } = await import("../../runner/recovery/target.ts");
      const target = parseTarget(options, run.clock.now());
      if (options.immediate && target.kind !== "latest") throw new DrError({ kind: "usage", what: "a target and --immediate are two different questions", where: "--immediate", todo: "Give the one or the other." });
      await recoverTo(context, run, backup, options.immediate ? { kind: "immediate" } : target, options);
    });
  withPlace(withTarget(recover.command("pitr").argument("[time]", "up to this moment, it included (UTC unless it has a zone)")))
    .description("recover PostgreSQL to a point in time, from the backup that suits it")
    .action(async (time: string | undefined, options: PlaceOptions & TargetOptions) => {
      const run = await context.openRun();
      if (time !== undefined && options.time !== undefined) throw new DrError({ kind: "usage", what: "the time is given twice", where: `${time} --time ${options.time}`, todo: "Give it once." });
      const { parseTarget } = await import("../../runner/recovery/target.ts");
      const target = parseTarget({ ...options, time: time ?? options.time }, run.clock.now());
      if (target.kind === "latest") throw new DrError({ kind: "usage", what: "nothing says which point is meant", where: "dr recover pitr", todo: "Give a time, --xid, --lsn or --name; the latest is `dr recover postgres latest`." });
      await recoverTo(context, run, "latest", target, options);
    });
}

type Run = Awaited<ReturnType<CliContext["openRun"]>>;

async function recoverTo(context: CliContext, run: Run, backup: string, target: RecoveryTarget, place: PlaceOptions): Promise<void> {
  const { into, port: number, socketDirectory, timeline, force, promote, tier, backend } = place;
  if (into === undefined) throw new DrError({ kind: "usage", what: "nothing says where the recovered database goes", where: "--into", todo: "Name an empty directory with --into." });
  const options: RecoverOptions = {
    backup, target, into, force, promote,
    ...(number === undefined ? {} : { port: number }),
    ...(socketDirectory === undefined ? {} : { socketDirectory }),
    ...(timeline === undefined ? {} : { timeline }),
    ...(tier === undefined ? {} : { tier }),
    ...(backend === undefined ? {} : { backend }),
  };
  const [{ carryOut, forgetPlan, planRecovery }, { renderRecoveryPlan }] = await Promise.all([import("../../runner/stores/postgres/recover.ts"), import("../../runner/recovery/recovery-plan.ts")]);
  const planned = await planRecovery(run, options);
  const [best] = planned.candidates;
  if (best === undefined) throw new RangeError("a planned recovery has a repository");
  if (place.dryRun) {
    await forgetPlan(planned);
    context.print(renderRecoveryPlan(best.plan), { dryRun: true, plan: best.plan });
    return;
  }
  for (const line of renderRecoveryPlan(best.plan).split("\n")) context.report({ step: line });
  const recovery = await carryOut(run, options, planned);
  context.print(renderRecovery(recovery), recovery);
}
