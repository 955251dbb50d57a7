import type { RunContext } from "../../../context.ts";
import { DrError } from "../../../errors.ts";
import { waitFor } from "../../../system/wait.ts";
import { Meter, type BlockReader } from "../blocks.ts";
import { blockOf, type CollectionContent, type Manifest, type NodeSnapshot, type QdrantContent } from "../manifest.ts";
import type { QdrantNode } from "./api.ts";
import { multipart } from "./multipart.ts";
import { compareSample } from "./sample.ts";

/** Bytes a second that an upload makes at the least before it is given up, and seconds for the rest of a recovery. */
const slowest = 2 * 1024 ** 2;
const recovering = 1_800;
/** Seconds for replicas to be filled. */
const settling = 120;

/** The whole file, as the server made it. Where a byte is another one it ends in an error. */
export async function* snapshotBytes(reader: BlockReader, manifest: Manifest, { blocks, bytes, name, sha256 }: NodeSnapshot): AsyncGenerator<Uint8Array, void> {
  const meter = new Meter();
  yield* meter.of(reader.blocks(blocks.map((number) => blockOf(manifest, number))));
  const found = meter.sha256();
  if (meter.bytes === bytes && found === sha256) return;
  throw new DrError({ kind: "failed", what: `the pieces do not make the snapshot that the server made: ${meter.bytes} of ${bytes} bytes, sha256 ${found}`, where: name, todo: "Choose another backup." });
}

export interface QdrantTarget {
  /** One for each that was backed up, in the same order, or a single one that takes everything. */
  readonly nodes: readonly QdrantNode[];
}

/**
 * A snapshot goes back to the node of the same place; one that was down then has none, and gets its replicas from the
 * others. A single node takes all of them, one after the other: each brings its own shards.
 */
export function checkTarget({ nodes: { length } }: QdrantContent, target: QdrantTarget): void {
  if (target.nodes.length === length || target.nodes.length === 1) return;
  throw new DrError({ kind: "usage", what: `${length} nodes were backed up and ${target.nodes.length} are given`, where: target.nodes.map(({ url }) => url).join(", "), todo: `Give ${length} nodes in their order, or one that takes everything.` });
}

export interface QdrantRestored {
  readonly collections: number;
  readonly points: number;
  readonly bytes: number;
}

/** Uploads every snapshot, then the aliases: nobody finds a collection by its alias before it is whole. */
export async function restoreQdrant(context: RunContext, reader: BlockReader, manifest: Manifest, content: QdrantContent, target: QdrantTarget): Promise<QdrantRestored> {
  checkTarget(content, target);
  let bytes = 0;
  let points = 0;
  for (const collection of content.collections) {
    context.report({ step: `restore ${collection.name}` });
    for (const snapshot of collection.snapshots) {
      await upload(reader, manifest, collection.name, snapshot, nodeFor(target, snapshot.node));
      bytes += snapshot.bytes;
    }
    points += await checkCollection(target, collection);
  }
  await nodeFor(target, 0).setAliases(content.aliases);
  return { collections: content.collections.length, points, bytes };
}

function nodeFor({ nodes }: QdrantTarget, place: number): QdrantNode {
  const node = nodes.length === 1 ? nodes[0] : nodes[place];
  if (node === undefined) throw new RangeError(`there is no node for the place ${place}`);
  return node;
}

async function upload(reader: BlockReader, manifest: Manifest, collection: string, snapshot: NodeSnapshot, node: QdrantNode): Promise<void> {
  let damage: unknown;
  async function* file(): AsyncGenerator<Uint8Array> {
    try {
      yield* snapshotBytes(reader, manifest, snapshot);
    } catch (error) {
      damage = error; // the client of HTTP only says that the request broke off
      throw error;
    }
  }
  const form = multipart("snapshot", file(), snapshot.bytes);
  try {
    await node.uploadSnapshot(collection, { ...form, sha256: snapshot.sha256, deadline: Math.ceil(recovering + snapshot.bytes / slowest) });
  } catch (error) {
    throw damage ?? error;
  }
}

async function checkCollection(target: QdrantTarget, collection: CollectionContent): Promise<number> {
  const node = nodeFor(target, 0);
  const points = await settledCount(target, node, collection);
  const errors = [...wrongCount(collection, points), ...(await compareSample(node, collection.name, collection.sample))];
  if (errors.length === 0) return points;
  throw new DrError({ kind: "failed", what: `the restored collection is not the one that was backed up: ${errors.join("; ")}`, where: collection.name, todo: "Choose another backup, and look at the node's log." });
}

/** In a cluster the other replicas are filled from the one that was restored, which takes a moment. */
async function settledCount({ nodes }: QdrantTarget, node: QdrantNode, collection: CollectionContent): Promise<number> {
  const settled = nodes.length === 1 ? undefined : waitFor(`all points of ${collection.name}`, async () => wrongCount(collection, await node.count(collection.name)).length === 0, { within: settling, every: 0.5 });
  await settled?.catch(() => undefined); // the count below says what is missing
  return node.count(collection.name);
}

/** While nothing was written the count is known; otherwise it lies between what was before the snapshot and after it. */
export function wrongCount({ name, points: [before, after] }: CollectionContent, found: number): string[] {
  const [least, most] = [Math.min(before, after), Math.max(before, after)];
  if (found >= least && found <= most) return [];
  return [`${name} has ${found} points, ${least === most ? least : `${least} to ${most}`} were backed up`];
}
