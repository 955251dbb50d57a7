/** Which vectors are gone. Pinecone says of deletions nothing but that there are fewer. */
import type { BlockReader } from "../blocks.ts";
import type { Change, Manifest } from "../manifest.ts";
import type { Pinecone } from "./api.ts";
import { eachOf } from "./each.ts";
import { idsIn } from "./lines.ts";

/** Ids that a run lists to find the deleted ones. They are in memory, and their pages of 100 come one after the other in
 * a namespace: more would not end within the run. */
export const mostListed = 500_000;

export interface Chain {
  readonly manifest: Manifest;
  readonly reader: BlockReader;
  readonly changes: readonly Change[];
  /** Vectors of each namespace after them. */
  readonly counts: ReadonlyMap<string, number>;
}

/** Ids by namespace. */
export type Ids = ReadonlyMap<string, ReadonlySet<string>>;

export interface Deletions {
  /** Of the changed ones, how many are new, by namespace. */
  readonly added: ReadonlyMap<string, number>;
  readonly dropped: Ids;
  /** Namespaces too large to be listed now: the next full backup leaves their deleted vectors out. */
  readonly unseen: readonly string[];
}

/**
 * Compares what the chain holds, with `changed` put on top, with what the index counts; only where the numbers differ
 * the ids are listed. Two passes over the chain's ids at the most, whatever the number of namespaces.
 */
export async function findDeletions(pinecone: Pinecone, chain: Chain, changed: Ids, counted: ReadonlyMap<string, number>): Promise<Deletions> {
  const held = await idsHeld(chain, (namespace, id) => changed.get(namespace)?.has(id) === true, new Set([...changed.keys()]));
  const added = new Map([...changed].map(([namespace, ids]) => [namespace, ids.size - (held.get(namespace)?.size ?? 0)]));
  const expected = (namespace: string) => (chain.counts.get(namespace) ?? 0) + (added.get(namespace) ?? 0);
  const different = [...new Set([...chain.counts.keys(), ...changed.keys()])].filter((namespace) => expected(namespace) !== (counted.get(namespace) ?? 0));
  const { listed, unseen } = withinBudget(different, (namespace) => Math.max(expected(namespace), counted.get(namespace) ?? 0));
  const alive = await listAlive(pinecone, listed, counted);
  const all = await idsHeld(chain, () => true, alive);
  const dropped = new Map<string, Set<string>>();
  for (const [namespace, living] of alive) {
    const ids = new Set([...(all.get(namespace) ?? []), ...(changed.get(namespace) ?? [])].filter((id) => !living.has(id)));
    if (ids.size > 0) dropped.set(namespace, ids);
  }
  return { added, dropped, unseen };
}

/** The smallest first: as many namespaces as can be are right. */
function withinBudget(namespaces: readonly string[], sizeOf: (namespace: string) => number): { readonly listed: readonly string[]; readonly unseen: readonly string[] } {
  let left = mostListed;
  const listed: string[] = [];
  const unseen: string[] = [];
  for (const namespace of namespaces.toSorted((a, b) => sizeOf(a) - sizeOf(b))) {
    left -= sizeOf(namespace);
    (left >= 0 ? listed : unseen).push(namespace);
  }
  return { listed, unseen };
}

async function listAlive(pinecone: Pinecone, namespaces: readonly string[], counted: ReadonlyMap<string, number>): Promise<Map<string, Set<string>>> {
  const alive = new Map(namespaces.map((namespace) => [namespace, new Set<string>()]));
  await eachOf(namespaces, async (namespace) => {
    if (!counted.has(namespace)) return; // it is gone as a whole
    for await (const page of pinecone.list(namespace)) for (const id of page) alive.get(namespace)?.add(id);
  });
  return alive;
}

/** The ids of those namespaces that the chain holds in the end and that are `wanted`. */
export async function idsHeld({ changes, manifest, reader }: Omit<Chain, "counts">, wanted: (namespace: string, id: string) => boolean, namespaces: { has(namespace: string): boolean; readonly size: number }): Promise<Map<string, Set<string>>> {
  const held = new Map<string, Set<string>>();
  if (namespaces.size === 0) return held;
  for (const change of changes) {
    if (!change.namespaces.some((namespace) => namespaces.has(namespace))) continue;
    for (const [namespace, id] of await idsIn(reader, manifest, change)) {
      if (!namespaces.has(namespace) || !wanted(namespace, id)) continue;
      const ids = held.get(namespace) ?? new Set();
      held.set(namespace, ids);
      if (change.what === "put") ids.add(id);
      else ids.delete(id);
    }
  }
  return held;
}
