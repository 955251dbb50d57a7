import { outcomeOf, type BackupRecord } from "../catalog/record.ts";
import type { RunContext } from "../context.ts";
import { DrError } from "../errors.ts";
import type { Block, CheckpointIndex } from "./block.ts";
import { agentsStore } from "./checkpoint.ts";
import type { RejectedCopy } from "../copies.ts";
import { readIndex } from "./read-checkpoint.ts";

export interface CheckpointQuestion {
  /** At or before this time; default: the newest. */
  readonly at?: Date;
  /** This checkpoint and no other, by its id: the way back from a recovery. */
  readonly checkpoint?: string;
  /** These agents; default: all. */
  readonly only?: readonly string[];
}

/** A block to read, and who is wanted of it. */
export interface WantedBlock {
  readonly record: BackupRecord;
  readonly index: CheckpointIndex;
  readonly block: Block;
  readonly agents: ReadonlySet<string>;
}

export interface FoundCheckpoints {
  readonly blocks: readonly WantedBlock[];
  /** Asked for, and in no checkpoint. */
  readonly missing: readonly string[];
}

/**
 * For each agent its newest checkpoint that reaches no further than the time. Checkpoints of a few agents lie over the
 * newest one of all; an agent that was asked for by name is looked for in older ones as well.
 */
export async function findCheckpoints(context: RunContext, question: CheckpointQuestion, rejected: RejectedCopy[]): Promise<FoundCheckpoints> {
  const { only } = question;
  const missing = only === undefined ? undefined : new Set(only);
  const seen = new Set<string>();
  const blocks: WantedBlock[] = [];
  for (const record of await candidates(context, question)) {
    if (missing?.size === 0) break;
    if (missing !== undefined && holdsNone(record, missing)) continue;
    const index = await readIndex(context, record, rejected);
    for (const block of index.blocks) {
      const wanted = block.agents.filter((id) => !seen.has(id) && (missing === undefined || missing.has(id)));
      if (wanted.length > 0) blocks.push({ record, index, block, agents: new Set(wanted) });
      for (const id of wanted) {
        seen.add(id);
        missing?.delete(id);
      }
    }
    if (missing === undefined && record.details["scope"] === "all") break;
  }
  return { blocks, missing: [...(missing ?? [])] };
}

/** Newest first. */
async function candidates(context: RunContext, { at, checkpoint }: CheckpointQuestion): Promise<BackupRecord[]> {
  if (checkpoint !== undefined) {
    const record = await context.catalog.find(checkpoint, { store: agentsStore });
    if (outcomeOf(record) === "failed") throw new DrError({ kind: "failed", what: "this checkpoint failed, it has no copy that stands", where: record.id, todo: "Choose another (`dr catalog list`)." });
    return [record];
  }
  const now = context.clock.now();
  if (at !== undefined && at.getTime() > now.getTime()) throw new DrError({ kind: "usage", what: `the target time ${at.toISOString()} is in the future`, where: "--at", todo: "Name a past time, or none for the newest." });
  const { records } = await context.catalog.list({ store: agentsStore, kind: "checkpoint", until: at ?? now });
  const reach = (record: BackupRecord) => Date.parse(record.watermark.time);
  return records.filter((record) => outcomeOf(record) !== "failed" && reach(record) <= (at ?? now).getTime()).sort((a, b) => reach(b) - reach(a));
}

/** A checkpoint of a few agents names them in its record, so that its index need not be read in vain. */
function holdsNone({ details }: BackupRecord, wanted: ReadonlySet<string>): boolean {
  const listed = details["only"];
  return Array.isArray(listed) && !listed.some((id) => typeof id === "string" && wanted.has(id));
}

export const noCheckpoint = (id: string, at: Date | undefined): DrError =>
  new DrError({ kind: "failed", what: `No checkpoint found for agent ${id}`, where: at === undefined ? "catalog" : `at or before ${at.toISOString()}`, todo: "See which checkpoints there are with `dr catalog list`, and whether the id is right." });
