/** The vector store in the runner's configuration; absent where the operator runs none. */
import { isAbsolute } from "node:path";
import { z } from "zod";

const absolutePath = z.string().refine(isAbsolute, "must be an absolute path");
const address = z.url({ protocol: /^https?$/ });

const identifier = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?$/, "must be a name of PostgreSQL, or schema.name");

/** How vectors and agents name each other. With it a recovery and a verification compare a sample of both. */
const references = z.strictObject({
  /** Of a point's payload (Qdrant) or a vector's metadata (Pinecone): the id of the agent that it belongs to. Absent with
   * Pinecone: its namespace is the agent. */
  agentField: z.string().min(1).optional(),
  /** Collections (Qdrant) or namespaces (Pinecone) whose vectors belong to agents. Default: all. */
  collections: z.array(z.string()).min(1).optional(),
  /** Where rows name vectors. */
  rows: z.strictObject({
    table: identifier,
    /** Holds a vector's id, as a number, a UUID or text. */
    column: identifier,
    /** When the row was written: those that are younger than the vectors' backup lack theirs rightly. */
    writtenAt: identifier,
    /** The collection or namespace that they mean; a column where it differs from row to row. */
    collection: z.union([z.string(), z.strictObject({ column: identifier })]),
  }).optional(),
});
export type VectorReferences = z.infer<typeof references>;

const qdrant = z.strictObject({
  kind: z.literal("qdrant"),
  /** Of each node, by its own name: snapshots are per node (facts F11), and a service in front would pick one. */
  nodes: z.array(address).min(1),
  /** The authority of the nodes' certificates; default: the system's. */
  caFile: absolutePath.optional(),
  /** The key that opens everything: a snapshot cannot be made with the one for reading. */
  apiKeyFile: absolutePath.optional(),
  references: references.optional(),
});

const pinecone = z.strictObject({
  kind: z.literal("pinecone"),
  index: z.string().regex(/^[a-z0-9][a-z0-9-]{0,44}$/, "must be the name of an index"),
  /** The index's own host with its scheme, e.g. `https://blackroad-abc123.svc.us-east-1.pinecone.io`. */
  host: address,
  /** Where indexes and backups are managed. */
  control: address.default("https://api.pinecone.io"),
  caFile: absolutePath.optional(),
  apiKeyFile: absolutePath,
  /** The metadata's field in which whoever writes a vector puts the time of it, in seconds since 1970. With it a backup
   * reads what has changed; without it every backup reads everything, as Pinecone keeps no time of its own. */
  changedField: z.string().min(1).optional(),
  references: references.optional(),
});

export const vectorsConfigSchema = z.discriminatedUnion("kind", [qdrant, pinecone]);
export type VectorsConfig = z.infer<typeof vectorsConfigSchema>;
export type QdrantConfig = Extract<VectorsConfig, { kind: "qdrant" }>;
export type PineconeConfig = Extract<VectorsConfig, { kind: "pinecone" }>;
