/** What each kind of vector store can do; the rest of a backup is the same for all. */
import type { VectorReferences, VectorsConfig } from "./config.ts";
import type { BackupRecord } from "../../catalog/record.ts";
import type { RunContext } from "../../context.ts";
import { DrError } from "../../errors.ts";
import type { BlockReader } from "./blocks.ts";
import type { BlockTable, Content, Manifest } from "./manifest.ts";
import type { PackWriter } from "./pack.ts";

export interface ExportRun {
  readonly context: RunContext;
  readonly id: string;
  readonly startedAt: Date;
  /** Seconds after which the run is killed. */
  readonly deadline: number;
  readonly writer: PackWriter;
  readonly blocks: BlockTable;
  /** What this backup may build upon; absent: everything is stored anew. */
  readonly previous: { readonly manifest: Manifest; readonly reader: BlockReader } | undefined;
}

export interface Exported {
  readonly content: Content;
  /** Everything acknowledged before it is in. */
  readonly watermark: Date;
  /** Vectors, each counted once. */
  readonly points: number;
  /** Size of everything that the backup holds, stored now or before. */
  readonly sourceBytes: number;
  readonly tools: Readonly<Record<string, string>>;
  /** For people and for what comes later. */
  readonly details: BackupRecord["details"];
}

/** A vector, by its place and its id as text. */
export interface SampledVector {
  /** Qdrant's collection, Pinecone's namespace. */
  readonly collection: string;
  readonly id: string;
  /** Absent where it names none. */
  readonly agent: string | undefined;
}

export interface VectorProvider {
  readonly kind: VectorsConfig["kind"];
  /** For people: where it is. */
  readonly where: string;
  /** Vectors now, counted exactly or as the store says it. */
  count(): Promise<number>;
  export(run: ExportRun): Promise<Exported>;
  /** Some vectors of each collection that `references` means, or of some of them where they are many. */
  sample(references: VectorReferences): Promise<readonly SampledVector[]>;
  /** Which of these are there. */
  present(collection: string, ids: readonly string[]): Promise<ReadonlySet<string>>;
  close(): Promise<void>;
}

export function vectorsOf({ config }: RunContext): VectorsConfig {
  if (config.vectors !== undefined) return config.vectors;
  throw new DrError({ kind: "usage", what: "the configuration names no vector store", where: "vectors", todo: "Add `vectors` with Qdrant's nodes or Pinecone's index; where none is run there is nothing to do." });
}

/** Only the one that is configured is loaded. */
export async function openProvider(context: RunContext): Promise<VectorProvider> {
  const config = vectorsOf(context);
  if (config.kind === "qdrant") return (await import("./qdrant/provider.ts")).openQdrant(context, config);
  return (await import("./pinecone/provider.ts")).openPinecone(context, config);
}
