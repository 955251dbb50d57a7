import type { PineconeContent, Sample } from "../manifest.ts";
import { sha256Of } from "../pack.ts";
import { canonical } from "../canonical.ts";
import { stable } from "../sample.ts";
import type { Pinecone, Vector } from "./api.ts";

const sampledNamespaces = 4;
const sampledVectors = 32;
const searches = 4;
const neighbours = 10;
/** Of ten neighbours, those that must be the same: Pinecone's search is approximate, and builds its index anew. */
const sameNeighbours = 0.7;

export const hashOf = (vector: Vector): string => sha256Of(Buffer.from(canonical(vector)));

/** Vectors and searches of some namespaces as they are now; spread over all of them, and the same ones again. */
export async function sampleIndex(pinecone: Pinecone, namespaces: readonly string[]): Promise<PineconeContent["samples"]> {
  const step = Math.max(1, Math.floor(namespaces.length / sampledNamespaces));
  const chosen = [...namespaces].sort().filter((_, place) => place % step === 0).slice(0, sampledNamespaces);
  return Promise.all(chosen.map(async (namespace) => ({ namespace, sample: await sampleNamespace(pinecone, namespace) })));
}

/** What a sample from before the export and one from behind it show alike. */
export function stableSamples(before: PineconeContent["samples"], after: PineconeContent["samples"]): PineconeContent["samples"] {
  const later = new Map(after.map(({ namespace, sample }) => [namespace, sample]));
  return before.flatMap(({ namespace, sample }) => {
    const other = later.get(namespace);
    return other === undefined ? [] : [{ namespace, sample: stable(sample, other) }];
  });
}

async function sampleNamespace(pinecone: Pinecone, namespace: string): Promise<Sample> {
  for await (const page of pinecone.list(namespace)) {
    const vectors = await pinecone.fetch(namespace, page.slice(0, sampledVectors));
    const found = vectors.sort((a, b) => (a.id < b.id ? -1 : 1));
    const asked = found.slice(0, searches).map(async ({ id }): Promise<Sample["searches"][number]> => ({ id, vector: null, hits: await pinecone.nearest(namespace, id, neighbours) }));
    return { points: found.map((vector) => ({ id: vector.id, sha256: hashOf(vector) })), searches: await Promise.all(asked) };
  }
  return { points: [], searches: [] };
}

/** What the index shows otherwise than the samples, a sentence each; at most ten. */
export async function compareIndex(pinecone: Pinecone, samples: PineconeContent["samples"]): Promise<string[]> {
  const errors: string[] = [];
  for (const { namespace, sample } of samples) {
    const found = new Map((await pinecone.fetch(namespace, sample.points.map(({ id }) => String(id)))).map((vector) => [vector.id, hashOf(vector)]));
    for (const { id, sha256 } of sample.points) {
      const hash = found.get(String(id));
      if (hash !== sha256) errors.push(`vector ${id} of namespace ${JSON.stringify(namespace)} ${hash === undefined ? "is missing" : "is not as it was"}`);
    }
    for (const { id, hits } of sample.searches) {
      const now = new Set((await pinecone.nearest(namespace, String(id), neighbours)).map(([other]) => other));
      const same = hits.filter(([other]) => now.has(String(other))).length;
      if (same < hits.length * sameNeighbours) errors.push(`a search near ${id} of namespace ${JSON.stringify(namespace)} finds ${same} of the ${hits.length} that it found`);
    }
  }
  return errors.slice(0, 10);
}
