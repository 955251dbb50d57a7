import { outcomeOf, type BackupRecord } from "../../catalog/record.ts";
import { findBackup } from "../../catalog/newest.ts";
import type { RunContext } from "../../context.ts";
import { DrError } from "../../errors.ts";
import { secondsSince } from "../../system/clock.ts";
import { backendsOf, BlockReader, readManifest } from "./blocks.ts";
import { kind, store } from "./chain.ts";
import type { QdrantConfig, PineconeConfig } from "./config.ts";
import type { Manifest, PineconeContent, QdrantContent } from "./manifest.ts";

/** Where the vectors go: servers that are there, and empty. */
export type VectorsTarget =
  | (Pick<QdrantConfig, "kind" | "nodes"> & { readonly caFile?: string | undefined; readonly apiKeyFile?: string | undefined })
  | (Pick<PineconeConfig, "kind" | "index" | "host" | "control" | "apiKeyFile"> & { readonly caFile?: string | undefined });

export interface VectorsRecoveryOptions {
  /** An id of the catalog, or `latest`. */
  readonly backup: string;
  /** Default: the configured store. */
  readonly target?: VectorsTarget;
  /** Replace what the target holds under the same names; of Pinecone's index, everything. */
  readonly force?: boolean;
}

/** What a recovery would do, or does. */
export interface VectorsRecoveryPlan {
  readonly backup: string;
  readonly provider: "qdrant" | "pinecone";
  /** ISO 8601; everything acknowledged at this time is there. */
  readonly recoveredTo: string;
  readonly points: number;
  /** Of the data, before encryption. */
  readonly bytes: number;
  /** The full backup that it builds upon: itself, or an older one. */
  readonly base: string;
  readonly target: string;
  /** What the target holds already, a name each. */
  readonly holds: readonly string[];
}

export interface VectorsRecovery extends VectorsRecoveryPlan {
  /** Backends of which a piece could not be used, with the first reason of each. */
  readonly rejected: readonly { readonly backend: string; readonly error: string }[];
  readonly seconds: number;
}

interface Prepared {
  readonly record: BackupRecord;
  readonly manifest: Manifest;
  readonly reader: BlockReader;
  readonly target: VectorsTarget;
}

/** Says what would be done, and asks the target what it holds; nothing is changed. */
export async function planVectorsRecovery(context: RunContext, options: VectorsRecoveryOptions): Promise<VectorsRecoveryPlan> {
  const prepared = await prepare(context, options);
  return planOf(prepared, await holdings(context, prepared));
}

/**
 * Restores a backup into an empty store and compares it with what was counted and sampled when it was made. A piece that
 * is damaged in one backend is taken from the next. Throws a `DrError` where the target holds anything, unless `force`.
 */
export async function recoverVectors(context: RunContext, options: VectorsRecoveryOptions): Promise<VectorsRecovery> {
  const begun = performance.now();
  const prepared = await prepare(context, options);
  const holds = await holdings(context, prepared);
  const plan = planOf(prepared, holds);
  refuseHeld(plan, options);
  await restore(context, prepared, holds);
  const rejected = [...prepared.reader.rejected].map(([backend, error]) => ({ backend, error }));
  return { ...plan, rejected, seconds: secondsSince(begun) };
}

/**
 * Asks the target whether it may be filled, and changes nothing.
 * @throws DrError as `recoverVectors` would, before it begins
 */
export async function checkVectorsTarget(context: RunContext, options: VectorsRecoveryOptions): Promise<void> {
  refuseHeld(await planVectorsRecovery(context, options), options);
}

function refuseHeld({ holds, target }: VectorsRecoveryPlan, { force }: VectorsRecoveryOptions): void {
  if (holds.length === 0 || force === true) return;
  throw new DrError({ kind: "refused", what: `the target is not empty: it holds ${holds.slice(0, 5).join(", ")}${holds.length > 5 ? ", …" : ""}`, where: target, todo: "Name an empty store, or add --force to replace what has the same names." });
}

async function prepare(context: RunContext, { backup, target = configured(context) }: VectorsRecoveryOptions): Promise<Prepared> {
  const record = await findBackup(context, store, kind, backup);
  if (outcomeOf(record) === "failed") throw new RangeError("a backup that failed is never found");
  const reader = new BlockReader(context, backendsOf(context, record));
  const manifest = await readManifest(reader, record);
  if (manifest.content.provider === target.kind) return { record, manifest, reader, target };
  throw new DrError({ kind: "usage", what: `this is a backup of ${manifest.content.provider}, and the target is ${target.kind}`, where: record.id, todo: "Name a target of the same kind: neither reads the other's." });
}

function configured({ config }: RunContext): VectorsTarget {
  if (config.vectors !== undefined) return config.vectors;
  throw new DrError({ kind: "usage", what: "nothing says where the vectors go", where: "--node", todo: "Name each node of an empty Qdrant with --node, or add `vectors` to the configuration." });
}

const whereOf = (target: VectorsTarget): string => (target.kind === "qdrant" ? target.nodes.join(", ") : `${target.index} (${target.host})`);

function planOf({ manifest, record, target }: Prepared, holds: readonly string[]): VectorsRecoveryPlan {
  const { points } = record.details;
  return { backup: record.id, provider: manifest.content.provider, recoveredTo: record.watermark.time, points: typeof points === "number" ? points : 0, bytes: record.sourceBytes, base: manifest.base, target: whereOf(target), holds };
}

const qdrantNodes = async (target: Extract<VectorsTarget, { kind: "qdrant" }>, { signal }: RunContext) => {
  const { closeNodes, openNodes } = await import("./qdrant/api.ts");
  const nodes = await openNodes(target.nodes.map((url) => ({ url, caFile: target.caFile, apiKeyFile: target.apiKeyFile })), signal);
  return { nodes, close: () => closeNodes(nodes) };
};

const pineconeOf = async (target: Extract<VectorsTarget, { kind: "pinecone" }>, { signal }: RunContext) => (await import("./pinecone/api.ts")).Pinecone.open(target, signal);

async function holdings(context: RunContext, { manifest, target }: Prepared): Promise<readonly string[]> {
  if (target.kind === "qdrant") {
    const { close, nodes } = await qdrantNodes(target, context);
    try {
      if (manifest.content.provider === "qdrant") (await import("./qdrant/restore.ts")).checkTarget(manifest.content, { nodes });
      return [...new Set((await Promise.all(nodes.map((node) => node.collections()))).flat())].sort();
    } finally {
      await close();
    }
  }
  const pinecone = await pineconeOf(target, context);
  try {
    if ((await pinecone.describe()) === undefined) return [];
    return [...(await pinecone.stats())].filter(([, vectors]) => vectors > 0).map(([namespace, vectors]) => `${vectors} vectors in ${namespace === "" ? "the default namespace" : namespace}`);
  } finally {
    await pinecone.close();
  }
}

async function restore(context: RunContext, { manifest, reader, target }: Prepared, holds: readonly string[]): Promise<void> {
  const { content } = manifest;
  if (target.kind === "qdrant" && content.provider === "qdrant") await intoQdrant(context, reader, manifest, content, target);
  if (target.kind === "pinecone" && content.provider === "pinecone") await intoPinecone(context, reader, manifest, content, target, holds.length > 0);
}

async function intoQdrant(context: RunContext, reader: BlockReader, manifest: Manifest, content: QdrantContent, target: Extract<VectorsTarget, { kind: "qdrant" }>): Promise<void> {
  const { restoreQdrant } = await import("./qdrant/restore.ts");
  const { close, nodes } = await qdrantNodes(target, context);
  try {
    await restoreQdrant(context, reader, manifest, content, { nodes });
  } finally {
    await close();
  }
}

async function intoPinecone(context: RunContext, reader: BlockReader, manifest: Manifest, content: PineconeContent, target: Extract<VectorsTarget, { kind: "pinecone" }>, empty: boolean): Promise<void> {
  const { ensureIndex, restorePinecone } = await import("./pinecone/restore.ts");
  const pinecone = await pineconeOf(target, context);
  try {
    await ensureIndex(context, pinecone, content);
    if (empty) for (const namespace of (await pinecone.stats()).keys()) await pinecone.deleteAll(namespace);
    await restorePinecone(context, reader, manifest, content, pinecone);
  } finally {
    await pinecone.close();
  }
}
