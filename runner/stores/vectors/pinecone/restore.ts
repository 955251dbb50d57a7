import type { RunContext } from "../../../context.ts";
import { DrError } from "../../../errors.ts";
import { waitFor } from "../../../system/wait.ts";
import type { BlockReader } from "../blocks.ts";
import type { Change, Manifest, PineconeContent } from "../manifest.ts";
import { batchSize, type Pinecone, type Vector } from "./api.ts";
import { eachOf } from "./each.ts";
import { idsIn, vectorsIn } from "./lines.ts";
import { compareIndex } from "./sample.ts";

/** Seconds for an index to be made, and for one to count what was written to it. */
const creating = 300;
const counting = 300;
/** Bytes of one upsert: Pinecone takes 2 MB. */
const mostUpserted = 1_500_000;

export interface PineconeRestored {
  readonly namespaces: number;
  readonly points: number;
  readonly bytes: number;
}

/** Makes the index where there is none; one that holds vectors must have been emptied by whoever was told to. */
export async function ensureIndex(context: RunContext, pinecone: Pinecone, { index }: PineconeContent): Promise<void> {
  const found = await pinecone.describe();
  if (found === undefined) {
    context.report({ step: `make the index ${pinecone.index}` });
    await pinecone.create(index);
    await waitFor(`the index ${pinecone.index}`, async () => (await pinecone.describe())?.status.ready === true, { within: creating, every: 1, signal: context.signal });
    return;
  }
  const different = found.metric !== index.metric || (found.dimension ?? null) !== index.dimension;
  if (different) throw new DrError({ kind: "refused", what: `the index has ${found.dimension ?? "no"} dimensions and the metric ${found.metric}, the backup's had ${index.dimension ?? "none"} and ${index.metric}`, where: pinecone.index, todo: "Name another index." });
}

/** Replays the chain: every put and every drop in its order, the namespaces of a block side by side. */
export async function restorePinecone(context: RunContext, reader: BlockReader, manifest: Manifest, content: PineconeContent, pinecone: Pinecone): Promise<PineconeRestored> {
  for (const [done, change] of content.changes.entries()) {
    context.report({ step: `restore ${pinecone.index}`, done, total: content.changes.length });
    await replay(reader, manifest, change, pinecone);
  }
  const expected = Object.entries(content.namespaces);
  await waitFor(`${pinecone.index} to count what was restored`, async () => {
    const counts = await pinecone.stats();
    return expected.every(([namespace, vectors]) => counts.get(namespace) === vectors);
  }, { within: counting, every: 1, signal: context.signal });
  const errors = await compareIndex(pinecone, content.samples);
  if (errors.length > 0) throw new DrError({ kind: "failed", what: `the restored index is not the one that was backed up: ${errors.join("; ")}`, where: pinecone.index, todo: "Choose another backup." });
  return { namespaces: expected.length, points: expected.reduce((sum, [, vectors]) => sum + vectors, 0), bytes: reader.bytes };
}

async function replay(reader: BlockReader, manifest: Manifest, change: Change, pinecone: Pinecone): Promise<void> {
  if (change.what === "put") {
    const lines = group(await vectorsIn(reader, manifest, change));
    await eachOf([...lines], async ([namespace, vectors]) => {
      for (const batch of batches(vectors)) await pinecone.upsert(namespace, batch);
    });
  } else {
    const lines = group(await idsIn(reader, manifest, change));
    await eachOf([...lines], async ([namespace, ids]) => {
      for (let at = 0; at < ids.length; at += batchSize) await pinecone.delete(namespace, ids.slice(at, at + batchSize));
    });
  }
}

function group<T>(lines: readonly (readonly [string, T])[]): Map<string, T[]> {
  const grouped = new Map<string, T[]>();
  for (const [namespace, one] of lines) {
    const all = grouped.get(namespace) ?? [];
    grouped.set(namespace, all);
    all.push(one);
  }
  return grouped;
}

function* batches(vectors: readonly Vector[]): Generator<Vector[], void> {
  let batch: Vector[] = [];
  let bytes = 0;
  for (const vector of vectors) {
    const size = JSON.stringify(vector).length;
    if (batch.length > 0 && (batch.length === batchSize || bytes + size > mostUpserted)) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(vector);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
