import type { QdrantConfig } from "../config.ts";
import { DrError, messageOf } from "../../../errors.ts";
import { Meter } from "../blocks.ts";
import { chunksOf } from "../chunks.ts";
import { blockOf, type CollectionContent, type NodeSnapshot } from "../manifest.ts";
import { sha256Of, type Block } from "../pack.ts";
import type { Exported, ExportRun } from "../provider.ts";
import { stable } from "../sample.ts";
import { isMissing, QdrantNode, type QdrantSnapshot } from "./api.ts";
import { announce, othersOn, sweepLeftovers } from "./attempt.ts";
import { checkShards, type Cluster, type Member } from "./cluster.ts";
import { takeSample } from "./sample.ts";

/** Chunks that are encrypted while the next ones come. */
const atOnce = 4;
/** Seconds for a server to delete a snapshot, also after the run was told to stop. */
const cleaning = 20;

/** A chunk that is stored already, by what it holds. */
type Known = Map<string, Promise<Block>>;

/**
 * Every collection on every node, one after the other; the nodes are read side by side. A snapshot is stored in chunks,
 * of which only those are new that no backup of the chain has: its size is what changed, and what was deleted is gone
 * from it as it is from the snapshot.
 */
export async function exportQdrant(run: ExportRun, config: QdrantConfig, cluster: Cluster): Promise<Exported> {
  const { context } = run;
  const { nodes, first, down } = cluster;
  const alive = nodes.map(({ node }) => node);
  const collections = await first.collections();
  const { startedAt, deadline, id } = run;
  const swept = await sweepLeftovers(context, alive, collections, id);
  await announce(context, { id, startedAt: startedAt.toISOString(), deadline, others: await othersOn(alive, collections) });
  const known: Known = new Map(knownBlocks(run).map((block) => [block.sha256, Promise.resolve(block)]));
  const watermark = context.clock.now();
  const content: CollectionContent[] = [];
  const vanished: string[] = [];
  const leftOnServer: string[] = [];
  for (const [done, name] of collections.entries()) {
    context.report({ step: `snapshot of ${name}, collection ${done + 1} of ${collections.length}` });
    try {
      content.push(await exportCollection(run, { config, cluster, known, leftOnServer }, name));
    } catch (error) {
      if (!isMissing(error) || (await first.collections()).includes(name)) throw error;
      vanished.push(name);
      context.report({ step: `${name} was deleted while it was backed up` });
    }
  }
  const present = new Set(content.map(({ name }) => name));
  const version = await first.version();
  const points = content.reduce((sum, { points: [, after] }) => sum + after, 0);
  return {
    content: { provider: "qdrant", version, nodes: [...config.nodes], collections: content, aliases: (await first.aliases()).filter(({ collection }) => present.has(collection)) },
    watermark,
    points,
    sourceBytes: content.flatMap(({ snapshots }) => snapshots).reduce((sum, { bytes }) => sum + bytes, 0),
    tools: { qdrant: version },
    details: { collections: content.map(({ name, points: [, after] }) => ({ name, points: after })), vanished, swept, leftOnServer, nodesDown: [...down] },
  };
}

const knownBlocks = ({ previous }: ExportRun): Block[] => {
  if (previous === undefined) return [];
  const { manifest } = previous;
  return manifest.blocks.map((_, number) => blockOf(manifest, number));
};

interface Surroundings {
  readonly config: QdrantConfig;
  readonly cluster: Cluster;
  readonly known: Known;
  readonly leftOnServer: string[];
}

async function exportCollection(run: ExportRun, around: Surroundings, name: string): Promise<CollectionContent> {
  const { first, nodes } = around.cluster;
  await checkShards(around.cluster, name);
  const countBefore = await first.count(name);
  const before = await takeSample(first, name);
  const settled = await Promise.allSettled(nodes.map((member) => exportSnapshot(run, around, member, name)));
  run.context.signal.throwIfAborted();
  const snapshots = settled.map((result) => {
    if (result.status === "fulfilled") return result.value;
    throw result.reason;
  });
  const after = await takeSample(first, name);
  return { name, points: [countBefore, await first.count(name)], sample: stable(before, after), snapshots };
}

/** Made on the server, streamed from it, and deleted there whatever happened. */
async function exportSnapshot(run: ExportRun, around: Surroundings, member: Member, collection: string): Promise<NodeSnapshot> {
  const { node, place } = member;
  const made = await node.createSnapshot(collection);
  try {
    return { node: place, name: made.name, ...(await storeSnapshot(run, around.known, node, collection, made)) };
  } finally {
    await deleteSnapshot(run, around, member, collection, made.name);
  }
}

async function storeSnapshot({ blocks: table, context, writer }: ExportRun, known: Known, node: QdrantNode, collection: string, made: QdrantSnapshot): Promise<Pick<NodeSnapshot, "bytes" | "sha256" | "blocks">> {
  const where = `${node.url}, ${made.name}`;
  const store = (chunk: Buffer): Promise<Block> => {
    const sha256 = sha256Of(chunk);
    const stored = known.get(sha256) ?? writer.add(Buffer.from(chunk));
    known.set(sha256, stored);
    return stored;
  };
  const meter = new Meter();
  const pending: Promise<number>[] = [];
  const numbers: number[] = [];
  try {
    for await (const chunk of chunksOf(meter.of(await node.downloadSnapshot(collection, made.name)))) {
      const numbered = store(chunk).then((block) => table.add(block));
      numbered.catch(() => undefined); // thrown where it is awaited
      pending.push(numbered);
      if (pending.length >= atOnce) numbers.push(await taken(pending));
    }
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof DrError) throw error;
    throw new DrError({ kind: "unavailable", what: `the snapshot broke off after ${meter.bytes} of ${made.size} bytes: ${messageOf(error)}`, where, todo: "See whether the node still runs; then back up again.", cause: error });
  }
  while (pending.length > 0) numbers.push(await taken(pending));
  const sha256 = meter.sha256();
  const wrong = meter.bytes !== made.size ? `has ${meter.bytes} bytes, the server says ${made.size}` : made.checksum != null && made.checksum !== sha256 ? `has the sha256 ${sha256}, the server says ${made.checksum}` : undefined;
  if (wrong !== undefined) throw new DrError({ kind: "failed", what: `the snapshot is not what the server made: it ${wrong}`, where, todo: "Back up again; if it comes back, look at the node's disk and at what is between it and here." });
  return { bytes: meter.bytes, sha256, blocks: numbers };
}

async function taken(pending: Promise<number>[]): Promise<number> {
  const first = pending.shift();
  if (first === undefined) throw new RangeError("nothing is pending");
  return first;
}

/** With a signal of its own: also after the run was told to stop. What stays is named, and the next run deletes it. */
async function deleteSnapshot({ context }: ExportRun, { config, leftOnServer }: Surroundings, { node: { url } }: Member, collection: string, name: string): Promise<void> {
  try {
    const node = await QdrantNode.open({ url, caFile: config.caFile, apiKeyFile: config.apiKeyFile }, AbortSignal.timeout(cleaning * 1_000));
    try {
      await node.deleteSnapshot(collection, name);
    } finally {
      await node.close();
    }
  } catch (error) {
    leftOnServer.push(`${url} ${collection} ${name}`);
    context.report({ step: `${name} stays on ${url} until the next run: ${messageOf(error)}` });
  }
}
