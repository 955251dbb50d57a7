import type { PineconeConfig } from "../config.ts";
import { DrError, messageOf } from "../../../errors.ts";
import { blockOf, type Change, type PineconeContent } from "../manifest.ts";
import type { Exported, ExportRun } from "../provider.ts";
import type { Pinecone, PineconeIndex } from "./api.ts";
import { findDeletions, type Chain } from "./deletions.ts";
import { eachOf } from "./each.ts";
import { LineWriter } from "./lines.ts";
import { sampleIndex, stableSamples } from "./sample.ts";

/** Seconds by which writers' clocks may differ from ours, and by which what they wrote may show late. */
const overlap = 120;

/** What this export adds to the chain. */
interface Added {
  readonly changes: readonly Change[];
  readonly namespaces: ReadonlyMap<string, number>;
  readonly put: number;
  readonly dropped: number;
  readonly unseen: readonly string[];
}

/** What has changed since the backup before, or everything where there is none to build upon. */
export async function exportPinecone(run: ExportRun, config: PineconeConfig, pinecone: Pinecone): Promise<Exported> {
  const { context } = run;
  const index = await pinecone.describe();
  if (index === undefined) throw new DrError({ kind: "failed", what: "there is no index of this name", where: config.index, todo: "Correct `vectors.index`." });
  const before = previousContent(run, config);
  const watermark = context.clock.now();
  const counts = await pinecone.stats();
  const sampled = await sampleIndex(pinecone, [...counts.keys()]);
  const added = before === undefined ? await exportAll(run, pinecone, [...counts.keys()]) : await exportChanges(run, pinecone, before, counts);
  const backupId = before === undefined ? await ownBackup(run, pinecone) : before.content.backupId;
  const changes = [...(before === undefined ? [] : keptChanges(run, before)), ...added.changes];
  const namespaces = Object.fromEntries([...added.namespaces].filter(([, vectors]) => vectors > 0));
  return {
    content: { provider: "pinecone", index: describeIndex(index), namespaces, changes, samples: stableSamples(sampled, await sampleIndex(pinecone, [...counts.keys()])), backupId },
    watermark,
    points: Object.values(namespaces).reduce((sum, vectors) => sum + vectors, 0),
    sourceBytes: changes.reduce((sum, { block }) => sum + run.blocks.bytes(block), 0),
    tools: {},
    details: { namespaces: Object.keys(namespaces).length, put: added.put, dropped: added.dropped, deletionsUnseen: [...added.unseen], pineconeBackup: backupId },
  };
}

const describeIndex = ({ name, host, dimension, metric, vector_type, spec }: PineconeIndex): PineconeContent["index"] => ({ name, host, dimension: dimension ?? null, metric, vectorType: vector_type, spec });

interface Before {
  readonly content: PineconeContent;
  readonly chain: Chain;
  readonly field: string;
  /** Seconds since 1970. */
  readonly since: number;
}

/** Without a field that says when a vector was written nothing tells a changed one from another: all are read. */
function previousContent({ previous }: ExportRun, { changedField, index }: PineconeConfig): Before | undefined {
  if (previous === undefined || changedField === undefined) return undefined;
  const { manifest, reader } = previous;
  const { content } = manifest;
  if (content.provider !== "pinecone" || content.index.name !== index) return undefined;
  const chain = { manifest, reader, changes: content.changes, counts: new Map(Object.entries(content.namespaces)) };
  return { content, chain, field: changedField, since: Math.floor(Date.parse(manifest.watermark) / 1_000) - overlap };
}

/** The changes of the backup before, with their blocks in this one's table. */
const keptChanges = ({ blocks }: ExportRun, { chain: { changes, manifest } }: Before): Change[] =>
  changes.map((change) => ({ ...change, block: blocks.add(blockOf(manifest, change.block)), ids: change.ids === null ? null : blocks.add(blockOf(manifest, change.ids)) }));

async function exportAll(run: ExportRun, pinecone: Pinecone, names: readonly string[]): Promise<Added> {
  const lines = new LineWriter(run, "put");
  const namespaces = new Map<string, number>();
  await eachOf(names, async (namespace) => {
    let vectors = 0;
    for await (const ids of pinecone.list(namespace)) {
      // One that was deleted between the two calls is not there any more, and that is right.
      for (const vector of await pinecone.fetch(namespace, ids)) {
        await lines.put(namespace, vector);
        vectors += 1;
      }
    }
    namespaces.set(namespace, vectors);
    run.context.report({ step: `export of ${pinecone.index}`, done: lines.count });
  });
  return { changes: await lines.end(), namespaces, put: lines.count, dropped: 0, unseen: [] };
}

/** Puts first, then drops: what is listed for the drops is newer than the puts. */
async function exportChanges(run: ExportRun, pinecone: Pinecone, { chain, field, since }: Before, counts: ReadonlyMap<string, number>): Promise<Added> {
  const puts = new LineWriter(run, "put");
  const changed = new Map<string, Set<string>>();
  await eachOf([...counts.keys()], async (namespace) => {
    for await (const vectors of pinecone.changedSince(namespace, field, since)) {
      const ids = changed.get(namespace) ?? new Set();
      changed.set(namespace, ids);
      for (const vector of vectors) {
        ids.add(vector.id);
        await puts.put(namespace, vector);
      }
    }
  });
  // Counted again: what was written while the changes were read is counted, or is seen next time.
  const { added, dropped, unseen } = await findDeletions(pinecone, chain, changed, await pinecone.stats());
  const drops = new LineWriter(run, "drop");
  for (const [namespace, ids] of dropped) for (const id of ids) await drops.drop(namespace, id);
  const namespaces = new Map<string, number>();
  for (const namespace of new Set([...chain.counts.keys(), ...changed.keys()])) {
    namespaces.set(namespace, (chain.counts.get(namespace) ?? 0) + (added.get(namespace) ?? 0) - (dropped.get(namespace)?.size ?? 0));
  }
  return { changes: [...(await puts.end()), ...(await drops.end())], namespaces, put: puts.count, dropped: drops.count, unseen };
}

/** Beside a full export, for what is lost by mistake: it needs no upload, but it is lost with Pinecone. */
async function ownBackup({ context, id }: ExportRun, pinecone: Pinecone): Promise<string | null> {
  try {
    return await pinecone.createBackup(id.toLowerCase());
  } catch (error) {
    context.signal.throwIfAborted();
    context.report({ step: `Pinecone made no backup of its own: ${messageOf(error)}` });
    return null;
  }
}
