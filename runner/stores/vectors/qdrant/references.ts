import type { VectorReferences } from "../config.ts";
import type { SampledVector } from "../provider.ts";
import { isMissing, type PointId, type QdrantNode } from "./api.ts";

/** Points of a collection that are looked at: its first by id, as `sample.ts` takes them. */
const sampledPoints = 200;
const usualField = "agent";

export async function sampleReferences(node: QdrantNode, { agentField = usualField, collections }: VectorReferences): Promise<readonly SampledVector[]> {
  const sampled: SampledVector[] = [];
  for (const collection of collections ?? (await node.collections())) {
    const points = await node.scroll(collection, sampledPoints);
    sampled.push(...points.map(({ id, payload }) => ({ collection, id: String(id), agent: agentIn(payload, agentField) })));
  }
  return sampled;
}

export function agentIn(payload: unknown, field: string): string | undefined {
  const value: unknown = typeof payload === "object" && payload !== null ? Object.entries(payload).find(([name]) => name === field)?.[1] : undefined;
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}

/** A collection that is not there has none of them. */
export async function presentPoints(node: QdrantNode, collection: string, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const found = await node.points(collection, ids.map(idOf)).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  return new Set(found.map(({ id }) => String(id)));
}

/** Qdrant's ids are numbers without a sign, or UUIDs. */
const idOf = (text: string): PointId => (/^\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : text);
