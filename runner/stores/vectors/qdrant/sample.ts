import { canonical } from "../canonical.ts";
import type { Sample } from "../manifest.ts";
import { sha256Of } from "../pack.ts";
import type { PointId, QdrantNode, QdrantPoint } from "./api.ts";

/** Points of a collection that are looked at: a fault in one point of fifty is seen with a certainty of 92 %. */
const sampledPoints = 128;
/** Of them, those whose neighbours are asked for, by each kind of vector. */
const searchedPoints = 8;
const neighbours = 10;
/** Scores are sums of products in single precision, whose order depends on the processor. */
const tolerance = 1e-4;

/** Ids of 64 bits that JSON numbers cannot hold are left out: they would name another point. */
const isExact = (id: PointId): boolean => typeof id === "string" || Number.isSafeInteger(id);

const hashOf = ({ vector, payload }: Pick<QdrantPoint, "vector" | "payload">): string => sha256Of(Buffer.from(canonical({ vector: vector ?? null, payload: payload ?? null })));

/** Points and searches of a collection as it is now. The points are its first by id: where no id says more than another,
 * that is as good as any choice, and the same one again. */
export async function takeSample(node: QdrantNode, collection: string): Promise<Sample> {
  const found = (await node.scroll(collection, sampledPoints)).filter(({ id }) => isExact(id));
  return { points: found.map((point) => ({ id: point.id, sha256: hashOf(point) })), searches: await search(node, collection, found) };
}

async function search(node: QdrantNode, collection: string, points: readonly QdrantPoint[]): Promise<Sample["searches"]> {
  const searches: Sample["searches"] = [];
  for (const name of await node.vectorNames(collection)) {
    for (const { id } of points.filter((point) => hasVector(point, name)).slice(0, searchedPoints)) {
      const hits = await node.nearest(collection, id, neighbours, name);
      searches.push({ id, vector: name ?? null, hits: hits.map((hit) => [hit.id, hit.score]) });
    }
  }
  return searches;
}

/** A point may lack some of its collection's vectors. */
function hasVector({ vector }: QdrantPoint, name: string | undefined): boolean {
  if (name === undefined) return Array.isArray(vector);
  return typeof vector === "object" && vector !== null && name in vector;
}

/** What a restored collection shows otherwise than the sample, a sentence each; at most ten. */
export async function compareSample(node: QdrantNode, collection: string, { points, searches }: Sample): Promise<string[]> {
  const found = points.length === 0 ? [] : await node.points(collection, points.map(({ id }) => id));
  const hashes = new Map(found.map((point) => [point.id, hashOf(point)]));
  const errors = points.flatMap(({ id, sha256 }) => {
    const hash = hashes.get(id);
    if (hash === sha256) return [];
    return [`point ${id} of ${collection} ${hash === undefined ? "is missing" : "has another vector or payload than it had"}`];
  });
  for (const { id, vector, hits } of searches) {
    const now = await node.nearest(collection, id, neighbours, vector ?? undefined);
    if (!sameHits(hits, now.map((hit): [PointId, number] => [hit.id, hit.score]))) errors.push(`a search near point ${id} of ${collection} finds others than it found`);
  }
  return errors.slice(0, 10);
}

/** Alike in their scores, and in whom they name wherever the score tells two apart; at the end a tie may go either way. */
export function sameHits(then: readonly (readonly [PointId, number])[], now: readonly (readonly [PointId, number])[]): boolean {
  if (then.length !== now.length) return false;
  const close = (a: number, b: number) => Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a), Math.abs(b));
  const last = then.at(-1)?.[1];
  return then.every(([id, score], place) => {
    const other = now[place];
    if (other === undefined || !close(score, other[1])) return false;
    return (last !== undefined && close(score, last)) || now.some(([same, itsScore]) => same === id && close(itsScore, score));
  });
}
