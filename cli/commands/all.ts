import type { Command } from "commander";
import type { CliContext } from "../context.ts";
import { protectFromExpiry } from "../lease.ts";
import { registerAgents } from "./agents.ts";
import { registerBackupAll } from "./backup-all.ts";
import { registerBackupPostgres } from "./backup-postgres.ts";
import { registerBackupRedis } from "./backup-redis.ts";
import { registerBackupVault } from "./backup-vault.ts";
import { registerBackupVectors } from "./backup-vectors.ts";
import { registerCatalog } from "./catalog.ts";
import { registerDrill } from "./drill.ts";
import { registerExpire } from "./expire.ts";
import { registerExporter } from "./exporter.ts";
import { registerInit } from "./init.ts";
import { registerArchive, registerBackupArchive, registerRecoverArchive } from "./archive.ts";
import { registerBackupConfiguration, registerRecoverConfiguration } from "./configuration.ts";
import { registerBackupLogs, registerRecoverLogs } from "./logs.ts";
import { registerBackupMetrics, registerRecoverMetrics } from "./metrics.ts";
import { registerBackupObjects, registerRecoverObjects } from "./objects.ts";
import { registerPlan } from "./plan.ts";
import { registerRecoverFull } from "./recover-full.ts";
import { registerRecoverPostgres } from "./recover-postgres.ts";
import { registerRecoverRedis } from "./recover-redis.ts";
import { registerRecoverVault } from "./recover-vault.ts";
import { registerRecoverVectors } from "./recover-vectors.ts";
import { registerSecrets } from "./secrets.ts";
import { registerStatus } from "./status.ts";
import { registerStorage } from "./storage.ts";
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
  registerBackupVault(backup, context);
  registerBackupVectors(backup, context);
  registerBackupMetrics(backup, context);
  registerBackupConfiguration(backup, context);
  registerBackupArchive(backup, context);
  registerBackupObjects(backup, context);
  registerBackupLogs(backup, context);
  registerBackupAll(backup, context);
  const recover = program.command("recover").description("bring data back; nothing is replaced without --force");
  protectFromExpiry(recover, context);
  registerRecoverFull(recover, context);
  registerRecoverPostgres(recover, context);
  registerRecoverRedis(recover, context);
  registerRecoverVault(recover, context);
  registerRecoverVectors(recover, context);
  registerRecoverMetrics(recover, context);
  registerRecoverConfiguration(recover, context);
  registerRecoverArchive(recover, context);
  registerRecoverObjects(recover, context);
  registerRecoverLogs(recover, context);
  registerAgents(backup, recover, context);
  registerVerify(program, context);
  registerCatalog(program, context);
  registerArchive(program, context);
  registerStorage(program, context);
  registerSecrets(program, context);
  registerDrill(program, context);
  registerExpire(program, context);
  registerExporter(program, context);
}
