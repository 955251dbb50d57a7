import type { Command } from "commander";
import type { CliContext } from "../context.ts";
import { registerAgents } from "./agents.ts";
import { registerBackupAll } from "./backup-all.ts";
import { registerBackupPostgres } from "./backup-postgres.ts";
import { registerBackupRedis } from "./backup-redis.ts";
import { registerCatalog } from "./catalog.ts";
import { registerDrill } from "./drill.ts";
import { registerExporter } from "./exporter.ts";
import { registerInit } from "./init.ts";
import { registerBackupMetrics, registerRecoverMetrics } from "./metrics.ts";
import { registerPlan } from "./plan.ts";
import { registerRecoverPostgres } from "./recover-postgres.ts";
import { registerRecoverRedis } from "./recover-redis.ts";
import { registerStatus } from "./status.ts";
import { registerVerify } from "./verify.ts";

/**
 * The whole command, in the order in which `dr --help` lists it. Each loads what does its work when it is called: a job
 * every five minutes does not read the clients of all other stores.
 */
export function registerAll(program: Command, context: CliContext): void {
  registerPlan(program, context);
  registerStatus(program, context);
  registerInit(program, context);
  const backup = program.command("backup").description("make a backup in every backend that the plan names");
  registerBackupPostgres(backup, context);
  registerBackupRedis(backup, context);
  registerBackupMetrics(backup, context);
  registerBackupAll(backup, context);
  const recover = program.command("recover").description("bring data back; nothing is replaced without --force");
  registerRecoverPostgres(recover, context);
  registerRecoverRedis(recover, context);
  registerRecoverMetrics(recover, context);
  registerAgents(backup, recover, context);
  registerVerify(program, context);
  registerCatalog(program, context);
  registerDrill(program, context);
  registerExporter(program, context);
}
