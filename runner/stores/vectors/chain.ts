import { scheduleOf } from "../../../plan/find.ts";
import { intervalOf } from "../../../plan/schedule.ts";
import type { Plan } from "../../../plan/types.ts";
import { lateRecords } from "../../catalog/newest.ts";
import { outcomeOf, type BackupRecord } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { messageOf } from "../../errors.ts";
import { backendsOf, BlockReader, readManifest } from "./blocks.ts";
import type { Content, Manifest } from "./manifest.ts";

export const store = "vectors";
export const kind = "snapshot";

/** The daily run stores everything anew. Twice its interval, so that one that failed does not make each run a full one. */
const daily = "postgres-full";
const frequent = "vectors-snapshot";
const runsSurvived = 2;

/** Seconds that a full backup may be built upon: what bounds a chain's length, and what a recovery reads. */
export function longestChain(plan: Plan): number {
  const schedule = scheduleOf(plan, daily);
  return schedule === undefined ? 0 : runsSurvived * intervalOf(schedule);
}

export interface Previous {
  readonly record: BackupRecord;
  readonly manifest: Manifest;
  readonly reader: BlockReader;
}

/**
 * Whether others may build upon a backup: one that is kept for a day may lie in a bucket that expires everything after a
 * day, so the hour's and the day's alone are built upon. What a run stores is then an hour's changes at the most.
 */
export function isFoundation(plan: Plan, { startedAt, expiresAt }: Pick<BackupRecord, "startedAt" | "expiresAt">): boolean {
  const schedule = scheduleOf(plan, frequent);
  if (schedule === undefined || expiresAt === null || schedule.retention === "forever") return true;
  const kept = (Date.parse(expiresAt) - Date.parse(startedAt)) / 1_000;
  return schedule.keepLonger === undefined || kept > schedule.retention;
}

/** The newest backup that a new one may build upon; none where its chain is as long as it may be, or it cannot be read. */
export async function previousOf(context: RunContext, provider: Content["provider"]): Promise<Previous | undefined> {
  const records = (await lateRecords(context, store)).filter((record) => record.kind === kind && outcomeOf(record) !== "failed");
  const record = records.findLast((candidate) => isFoundation(context.plan, candidate));
  if (record === undefined) return undefined;
  const reader = new BlockReader(context, backendsOf(context, record));
  try {
    const manifest = await readManifest(reader, record);
    const age = (context.clock.now().getTime() - Date.parse(manifest.baseAt)) / 1_000;
    const fits = manifest.content.provider === provider && age >= 0 && age < longestChain(context.plan);
    return fits ? { record, manifest, reader } : undefined;
  } catch (error) {
    context.signal.throwIfAborted();
    context.report({ step: `${record.id} cannot be built upon, everything is stored anew: ${messageOf(error)}` });
    return undefined;
  }
}
