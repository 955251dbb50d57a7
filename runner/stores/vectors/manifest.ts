/** What a backup of the vector store consists of: an encrypted object beside its packs, `vectors/ID/manifest.pgp`. */
import { z } from "zod";
import type { BackupRecord, StoredObject } from "../../catalog/record.ts";
import { DrError } from "../../errors.ts";
import type { Block } from "./pack.ts";

const count = z.int().min(0);
const sha256 = z.string().length(64);
/** Place of the object in `objects`, offset, length, bytes of the data, their sha256. */
const blockSchema = z.tuple([count, count, count, count, sha256]);
const pointId = z.union([z.number(), z.string()]);

const sampleSchema = z.strictObject({
  /** Vector and payload of points, as the server showed them before the snapshot and after it. */
  points: z.array(z.strictObject({ id: pointId, sha256 })),
  searches: z.array(z.strictObject({ id: pointId, vector: z.string().nullable(), hits: z.array(z.tuple([pointId, z.number()])) })),
});
export type Sample = z.infer<typeof sampleSchema>;

const nodeSnapshotSchema = z.strictObject({
  /** Place of the node in `nodes`. */
  node: count,
  name: z.string(),
  bytes: count,
  /** Of the whole file, as Qdrant itself reckoned it. */
  sha256,
  /** Places in the manifest's `blocks`. */
  blocks: z.array(count),
});
export type NodeSnapshot = z.infer<typeof nodeSnapshotSchema>;

const qdrantSchema = z.strictObject({
  provider: z.literal("qdrant"),
  version: z.string(),
  /** Addresses, for people: a snapshot goes back to the node of the same place. */
  nodes: z.array(z.string()).min(1),
  collections: z.array(z.strictObject({
    name: z.string(),
    /** Points before the snapshot and after it. */
    points: z.tuple([count, count]),
    sample: sampleSchema,
    snapshots: z.array(nodeSnapshotSchema),
  })),
  aliases: z.array(z.strictObject({ alias: z.string(), collection: z.string() })),
});
export type QdrantContent = z.infer<typeof qdrantSchema>;
export type CollectionContent = QdrantContent["collections"][number];

const changeSchema = z.strictObject({
  /** `put`: JSON lines of a namespace and a vector; `drop`: of a namespace and an id. */
  what: z.enum(["put", "drop"]),
  /** Lines. */
  count,
  /** Those that its lines are about. */
  namespaces: z.array(z.string()),
  /** Places in `blocks`: what to replay, and for `put` the ids alone, so that a comparison need not read vectors. */
  block: count,
  ids: count.nullable(),
});
export type Change = z.infer<typeof changeSchema>;

const pineconeSchema = z.strictObject({
  provider: z.literal("pinecone"),
  index: z.strictObject({ name: z.string(), host: z.string(), dimension: count.nullable(), metric: z.string(), vectorType: z.string(), spec: z.json() }),
  /** Vectors in each namespace once all changes are replayed. */
  namespaces: z.record(z.string(), count),
  /** In the order in which they are replayed. */
  changes: z.array(changeSchema),
  /** Vectors as the index showed them, and what it found near them. */
  samples: z.array(z.strictObject({ namespace: z.string(), sample: sampleSchema })),
  /** Pinecone's own backup, made beside a full export; it is lost with Pinecone. */
  backupId: z.string().nullable(),
});
export type PineconeContent = z.infer<typeof pineconeSchema>;

const manifestSchema = z.strictObject({
  version: z.literal(1),
  id: z.string(),
  /** The full backup that this one's chain begins with: itself, or an older one. */
  base: z.string(),
  baseAt: z.iso.datetime({ offset: false }),
  /** Everything acknowledged before it is in. */
  watermark: z.iso.datetime({ offset: false }),
  objects: z.array(z.strictObject({ key: z.string(), bytes: count, sha256 })),
  blocks: z.array(blockSchema),
  content: z.discriminatedUnion("provider", [qdrantSchema, pineconeSchema]),
});
export type Manifest = z.infer<typeof manifestSchema>;
export type Content = Manifest["content"];

export const manifestName = "manifest";
export const manifestKey = (id: string): string => `vectors/${id}/${manifestName}.pgp`;

/** A backup's blocks by number, with each object that they stand in named once. */
export class BlockTable {
  readonly #blocks: Block[] = [];

  add(block: Block): number {
    return this.#blocks.push(block) - 1;
  }

  /** Of the data of a block. */
  bytes(number: number): number {
    return this.#blocks[number]?.bytes ?? 0;
  }

  /** `objects`: what this backup wrote itself; `known`: those of older ones. */
  toManifest(own: readonly StoredObject[], known: readonly StoredObject[]): Pick<Manifest, "objects" | "blocks"> {
    const used = new Set(this.#blocks.map(({ object }) => object));
    const objects = [...own, ...known].filter(({ key }) => used.has(key));
    const place = new Map(objects.map(({ key }, index) => [key, index]));
    const blocks = this.#blocks.map(({ object, offset, length, bytes, sha256: sum }): Manifest["blocks"][number] => {
      const at = place.get(object);
      if (at === undefined) throw new RangeError(`a block stands in ${object}, which is no object of this backup`);
      return [at, offset, length, bytes, sum];
    });
    return { objects, blocks };
  }
}

/** @throws RangeError where the manifest names a block that it has not, which no manifest does that we wrote */
export function blockOf({ blocks, objects }: Pick<Manifest, "objects" | "blocks">, number: number): Block {
  const [at, offset, length, bytes, sum] = blocks[number] ?? [];
  const object = at === undefined ? undefined : objects[at];
  if (object === undefined || offset === undefined || length === undefined || bytes === undefined || sum === undefined) throw new RangeError(`the manifest has no block ${number}`);
  return { object: object.key, offset, length, bytes, sha256: sum };
}

export function parseManifest(plain: Buffer, record: Pick<BackupRecord, "id">): Manifest {
  const parsed = manifestSchema.safeParse(JSON.parse(plain.toString("utf8")));
  if (parsed.success && parsed.data.id === record.id) return parsed.data;
  const why = parsed.success ? `it is that of ${parsed.data.id}` : parsed.error.issues.slice(0, 3).map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
  throw new DrError({ kind: "failed", what: `the backup's manifest is not what this version of dr writes: ${why}`, where: record.id, todo: "Read it with the version that wrote it, or choose another backup." });
}
