import type { VectorReferences } from "../config.ts";
import type { SampledVector } from "../provider.ts";
import { agentIn } from "../qdrant/references.ts";
import type { Pinecone } from "./api.ts";

/** A namespace an agent may mean tens of thousands: so many are looked at, spread over all. */
const sampledNamespaces = 50;
const sampledVectors = 20;

export async function sampleReferences(pinecone: Pinecone, { agentField, collections }: VectorReferences): Promise<readonly SampledVector[]> {
  const namespaces = [...(collections ?? (await pinecone.stats()).keys())].sort();
  const step = Math.max(1, Math.floor(namespaces.length / sampledNamespaces));
  const sampled: SampledVector[] = [];
  for (const collection of namespaces.filter((_, place) => place % step === 0)) {
    for await (const page of pinecone.list(collection)) {
      const vectors = await pinecone.fetch(collection, page.slice(0, sampledVectors));
      sampled.push(...vectors.map(({ id, metadata }) => ({ collection, id, agent: agentField === undefined ? collection : agentIn(metadata, agentField) })));
      break;
    }
  }
  return sampled;
}

export async function presentVectors(pinecone: Pinecone, namespace: string, ids: readonly string[]): Promise<ReadonlySet<string>> {
  return new Set((await pinecone.fetch(namespace, ids)).map(({ id }) => id));
}
