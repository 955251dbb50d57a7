import { rm } from "node:fs/promises";
import { join } from "node:path";
import { findBackup } from "../../catalog/newest.ts";
import type { BackupRecord } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { DrError } from "../../errors.ts";
import { onlyObject, type RejectedCopy } from "../../copies.ts";
import { fetchObject } from "../../fetch-object.ts";
import { prepareDirectory, putBack } from "../../recovery/emptied-directory.ts";
import { run } from "../../system/process.ts";
import { findProgram } from "../../system/programs.ts";
import { contentsOf, differences, digestsOf, kind, store } from "./contents.ts";

export interface ConfigurationRecoveryOptions {
  /** An id of the catalog, or `latest`. */
  readonly backup: string;
  /** Empty or absent. */
  readonly into: string;
  /** Move aside what is in `into`. */
  readonly force?: boolean;
}

export interface ConfigurationPlan {
  readonly backup: string;
  readonly recoveredTo: string;
  readonly repositories: readonly string[];
  readonly files: number;
  readonly bytes: number;
}

export interface ConfigurationRecovery extends ConfigurationPlan {
  readonly dir: string;
  readonly setAside: string | undefined;
  readonly from: string;
  readonly rejected: readonly RejectedCopy[];
}

/** Seconds for `tar` to unpack it. */
const unpackDeadline = 600;

/** What a recovery would bring back; nothing is changed. */
export const planConfigurationRecovery = async (context: RunContext, backup: string): Promise<ConfigurationPlan> => planOf(await findBackup(context, store, kind, backup));

function planOf(record: BackupRecord): ConfigurationPlan {
  const { repositories, files } = contentsOf(record);
  return { backup: record.id, recoveredTo: record.watermark.time, repositories: Object.keys(repositories), files: Object.keys(files).length, bytes: record.sourceBytes };
}

/** Unpacks a decrypted archive, and compares every file with the record; throws where any differs. */
export async function unpack(context: RunContext, record: BackupRecord, archive: string, dir: string): Promise<void> {
  await run(await findProgram("tar"), ["--extract", "--gzip", "--file", archive, "--directory", dir, "--no-same-owner", "--no-same-permissions"], { deadline: unpackDeadline, signal: context.signal });
  await rm(archive);
  const wrong = differences(await digestsOf(dir), contentsOf(record).files);
  if (wrong.length > 0) throw new DrError({ kind: "failed", what: `what is in the archive is not what was packed: ${wrong.slice(0, 5).join("; ")}${wrong.length > 5 ? `; and ${wrong.length - 5} more` : ""}`, where: record.id, todo: "Choose another backup." });
}

/**
 * Brings the configuration of a backup into a directory: `git/NAME.bundle` (clone it), `kubernetes/NAMESPACE/KIND.json`
 * (apply it) and `pulumi/NAME/` (copy it into the backend's `.pulumi`). Where it fails, the directory is as it was before.
 */
export async function recoverConfiguration(context: RunContext, options: ConfigurationRecoveryOptions): Promise<ConfigurationRecovery> {
  const record = await findBackup(context, store, kind, options.backup);
  const target = await prepareDirectory(options.into, { force: options.force === true, label: context.clock.now().toISOString().replaceAll(/[:.-]/g, "") });
  const archive = join(target.dir, ".configuration.tar.gz");
  try {
    const { backend, rejected } = await fetchObject(context, record, onlyObject(record), archive);
    await unpack(context, record, archive, target.dir);
    return { ...planOf(record), dir: target.dir, setAside: target.setAside, from: backend, rejected };
  } catch (error) {
    await putBack(target);
    throw error;
  }
}
