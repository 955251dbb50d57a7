/** Verification: each copy is checked file by file, restored for real, and queried. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { BackupRecord, CopyResult } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { DrError, messageOf } from "../../errors.ts";
import { secondsSince } from "../../system/clock.ts";
import { makeFolder, removeTree } from "../../system/files.ts";
import { databaseUser } from "../../system/user.ts";
import { copyVerificationOf, verificationOf, type CopyVerification, type MeasuredWork, type Verification, type VerificationCheck } from "../../verification.ts";
import { stopIsolated } from "../../recovery/isolated-server.ts";
import { restorePointKind } from "./details.ts";
import { checkIntegrity } from "./integrity.ts";
import { recoverPostgres, type Recovery } from "./recover.ts";
import { openRepository, productionSite, repositoriesOf, type Repository } from "./repositories.ts";
import { damageOf, readDamage } from "./repository-check.ts";
import { readInfo, type RepositoryBackup } from "./info.ts";

/**
 * Verifies each copy of a backup: pgBackRest's own check of every file and segment, the info files against their
 * copies, then a restore into a temporary server and queries over all of its databases. The newest backup is rolled
 * forward to the archive's end, which tries the WAL and measures the replay; an older one is restored as it is.
 */
export async function verifyPostgres(context: RunContext, record: BackupRecord): Promise<Verification> {
  if (record.kind === restorePointKind) throw new DrError({ kind: "usage", what: "this is a restore point, which holds no data", where: record.id, todo: "Name a backup: `dr catalog list`." });
  const copies: CopyVerification[] = [];
  for (const copy of record.copies) {
    const begun = performance.now();
    try {
      copies.push(await verifyCopy(context, copy, begun));
    } catch (error) {
      context.signal.throwIfAborted();
      copies.push(copyVerificationOf(copy.backend, [{ name: "readable", ok: false, detail: messageOf(error) }], [messageOf(error)], secondsSince(begun)));
    }
  }
  return verificationOf(record.id, "postgres", copies);
}

async function verifyCopy(context: RunContext, copy: CopyResult, begun: number): Promise<CopyVerification> {
  if (copy.status === "failed") throw new DrError({ kind: "failed", what: `this copy failed when it was made: ${copy.error}`, where: `repository ${copy.backend}`, todo: "Use the other copies, or make a new backup." });
  const repository = repositoriesOf(context).find(({ name }) => name === copy.backend);
  if (repository === undefined) throw new DrError({ kind: "usage", what: "the configuration has no such repository any more", where: `repository ${copy.backend}`, todo: "Add it to `backends`." });
  await repository.backend.check();
  const { backup, isNewest, errors, checks } = await checkFiles(context, repository, copy.label ?? "");
  const restored = await restoreAndQuery(context, repository, backup, isNewest).catch((error: unknown) => {
    context.signal.throwIfAborted();
    return { checks: [{ name: "restored", ok: false, detail: messageOf(error) }], errors: [messageOf(error)], measured: undefined };
  });
  return copyVerificationOf(copy.backend, [...checks, ...restored.checks], [...errors, ...restored.errors], secondsSince(begun), restored.measured);
}

async function checkFiles(context: RunContext, repository: Repository, label: string) {
  const open = await openRepository(context, repository, productionSite(context));
  const { backups } = await readInfo(open);
  const backup = backups.find((one) => one.label === label);
  if (backup === undefined) throw new DrError({ kind: "failed", what: `the backup ${label} is not in the repository any more`, where: `repository ${repository.name}`, todo: "It has expired, or somebody deleted it: look at the store's log." });
  context.report({ step: `checking the files of ${repository.name}` });
  const damage = damageOf(await readDamage(context, open), backup);
  const checks: VerificationCheck[] = [
    { name: "files and WAL of the repository", ok: damage.here.length === 0, detail: damage.here.length === 0 ? `every file that ${label} needs has its checksum` : `${damage.here.length} damaged` },
    { name: "checksums of the database's pages", ok: !backup.damagedPages, detail: backup.damagedPages ? "pages were already damaged when the backup was made: look at the database itself" : "none was wrong when the backup was made" },
    ...(damage.elsewhere.length === 0 ? [] : [{ name: "rest of the repository", ok: true, detail: `damaged, though this backup does not need it: ${damage.elsewhere.join("; ")}` }]),
  ];
  return { backup, isNewest: backups.at(-1) === backup, errors: [...damage.here, ...(backup.damagedPages ? [`${label}: pages with wrong checksums`] : [])], checks };
}

interface Queried {
  readonly checks: readonly VerificationCheck[];
  readonly errors: readonly string[];
  readonly measured: MeasuredWork | undefined;
}

async function restoreAndQuery(context: RunContext, repository: Repository, backup: RepositoryBackup, isNewest: boolean): Promise<Queried> {
  const folder = await makeFolder(join(context.config.workDirectory, `verify-${randomBytes(4).toString("hex")}`), { owner: databaseUser(context.config.databaseUser) });
  let recovery: Recovery | undefined;
  try {
    recovery = await recoverPostgres(context, {
      backup: backup.label, target: { kind: isNewest ? "latest" : "immediate" }, into: join(folder, "data"), socketDirectory: join(folder, "s"),
      backend: repository.name, throwAway: true,
    });
    const begun = performance.now();
    context.report({ step: `querying what ${repository.name} gave back` });
    const integrity = await checkIntegrity(context, recovery);
    const restored: VerificationCheck = { name: "restored", ok: true, detail: `${recovery.bytes.restored} bytes in ${recovery.seconds.fetch.toFixed(1)} s, recovered to LSN ${recovery.recoveredTo.lsn}` };
    return { checks: [restored, ...integrity.checks], errors: integrity.errors, measured: measuredBy(recovery, secondsSince(begun)) };
  } finally {
    if (recovery !== undefined) {
      await stopIsolated({ ...recovery, owner: databaseUser(context.config.databaseUser), hbaFile: "", promote: true }, "immediate");
      await removeTree(recovery.runDirectory);
    }
    await removeTree(folder);
  }
}

const measuredBy = ({ bytes, seconds }: Recovery, validate: number): MeasuredWork => ({
  restoreBytes: bytes.restored, restoreSeconds: seconds.fetch,
  replayBytes: bytes.wal, replaySeconds: seconds.replay,
  validateBytes: bytes.restored, validateSeconds: validate,
  startUpSeconds: seconds.plan, promoteSeconds: seconds.promote,
});
