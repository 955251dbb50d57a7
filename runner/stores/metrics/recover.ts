import type { RunContext } from "../../context.ts";
import { addRejected, type RejectedCopy } from "../../copies.ts";
import { fetchObject } from "../../fetch-object.ts";
import { prepareDirectory, putBack } from "../../recovery/emptied-directory.ts";
import { findBackup } from "../../catalog/newest.ts";
import type { BackupRecord } from "../../catalog/record.ts";
import { secondsSince } from "../../system/clock.ts";
import { blocksOf, snapshotKind, store } from "./details.ts";
import { restoreBlocks } from "./restore.ts";

export interface MetricsRecoveryOptions {
  /** An id of the catalog, or `latest`. */
  readonly backup: string;
  /** Becomes the data directory of a new Prometheus; empty or absent. */
  readonly into: string;
  /** Move aside what is in `into`. A running server's directory is refused in any case. */
  readonly force?: boolean;
}

export interface MetricsPlan {
  readonly backup: string;
  readonly recoveredTo: string;
  readonly blocks: number;
  readonly samples: number;
  /** ISO 8601: of the oldest sample. */
  readonly from: string;
  /** On the disk. */
  readonly bytes: number;
}

export interface MetricsRecovery extends MetricsPlan {
  readonly dir: string;
  readonly setAside: string | undefined;
  readonly rejected: readonly RejectedCopy[];
  readonly seconds: number;
}

/** What a recovery would bring back; nothing is changed. */
export async function planMetricsRecovery(context: RunContext, backup: string): Promise<MetricsPlan> {
  return planOf(await findBackup(context, store, snapshotKind, backup));
}

function planOf(record: BackupRecord): MetricsPlan {
  const blocks = blocksOf(record);
  return {
    backup: record.id,
    recoveredTo: record.watermark.time,
    blocks: blocks.length,
    samples: blocks.reduce((sum, { samples }) => sum + samples, 0),
    from: new Date(Math.min(...blocks.map(({ minTime }) => minTime))).toISOString(),
    bytes: record.sourceBytes,
  };
}

/**
 * Restores a snapshot into a directory that a Prometheus can be started on (`--storage.tsdb.path`). Each block comes from
 * the first backend whose copy is whole. Where any block cannot be had, the directory is as it was before.
 */
export async function recoverMetrics(context: RunContext, options: MetricsRecoveryOptions): Promise<MetricsRecovery> {
  const begun = performance.now();
  const record = await findBackup(context, store, snapshotKind, options.backup);
  const target = await prepareDirectory(options.into, { force: options.force === true, label: context.clock.now().toISOString().replaceAll(/[:.-]/g, "") });
  const rejected: RejectedCopy[] = [];
  try {
    await restoreBlocks(context, record, target.dir, async (object, path) => {
      const fetched = await fetchObject(context, record, object, path);
      addRejected(rejected, fetched.rejected);
    });
  } catch (error) {
    await putBack(target);
    throw error;
  }
  return { ...planOf(record), dir: target.dir, setAside: target.setAside, rejected, seconds: secondsSince(begun) };
}
