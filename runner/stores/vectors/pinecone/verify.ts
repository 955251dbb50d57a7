import type { RunContext } from "../../../context.ts";
import { secondsSince } from "../../../system/clock.ts";
import type { MeasuredWork, VerificationCheck } from "../../../verification.ts";
import type { BlockReader } from "../blocks.ts";
import type { Change, Manifest, PineconeContent } from "../manifest.ts";
import { idsIn, vectorsIn } from "./lines.ts";
import { hashOf } from "./sample.ts";

/** Ids of one namespace as they would be once everything is replayed. */
type Held = Map<string, Set<string>>;

/**
 * Pinecone's program runs nowhere but at Pinecone: the chain is replayed in memory instead, every block of it read, and
 * its outcome compared with the counts and the sampled vectors. That it was not restored is said.
 */
export async function verifyPineconeContent(context: RunContext, reader: BlockReader, manifest: Manifest, content: PineconeContent, checks: VerificationCheck[]): Promise<MeasuredWork> {
  const begun = performance.now();
  const wanted = new Map(content.samples.map(({ namespace, sample }) => [namespace, new Map(sample.points.map(({ id, sha256 }) => [String(id), sha256]))]));
  const seen = new Map<string, string>();
  const held: Held = new Map();
  const wrong: string[] = [];
  for (const change of content.changes) {
    context.signal.throwIfAborted();
    await replay(reader, manifest, content, change, held, (namespace, id, hash) => {
      if (wanted.get(namespace)?.has(id) === true) seen.set(JSON.stringify([namespace, id]), hash);
    }, wrong);
  }
  const differing = Object.entries(content.namespaces).filter(([namespace, vectors]) => (held.get(namespace)?.size ?? 0) !== vectors);
  const extra = [...held].filter(([namespace, ids]) => ids.size > 0 && content.namespaces[namespace] === undefined);
  const vectors = [...held.values()].reduce((sum, ids) => sum + ids.size, 0);
  const changed = [...wanted].flatMap(([namespace, points]) => [...points].filter(([id, hash]) => seen.get(JSON.stringify([namespace, id])) !== hash).map(([id]) => `${id} of ${JSON.stringify(namespace)}`));
  checks.push(
    { name: "every block opens and holds vectors of the index's dimension", ok: wrong.length === 0, detail: wrong.slice(0, 3).join("; ") || `${content.changes.length} blocks` },
    { name: "the chain leads to the counts of the index", ok: differing.length === 0 && extra.length === 0, detail: differing.length + extra.length === 0 ? `${vectors} vectors in ${held.size} namespaces` : `otherwise in ${[...differing, ...extra].slice(0, 3).map(([namespace]) => JSON.stringify(namespace)).join(", ")}` },
    { name: "sampled vectors are as they were", ok: changed.length === 0, detail: changed.length === 0 ? `${[...wanted.values()].reduce((sum, points) => sum + points.size, 0)} vectors` : `not so: ${changed.slice(0, 3).join(", ")}` },
    { name: "not restored: Pinecone runs nowhere but at Pinecone", ok: true, detail: "recover into an index of another name to compare searches" },
  );
  return { downloadBytes: reader.bytes, downloadSeconds: secondsSince(begun) };
}

async function replay(reader: BlockReader, manifest: Manifest, { index }: PineconeContent, change: Change, held: Held, note: (namespace: string, id: string, hash: string) => void, wrong: string[]): Promise<void> {
  if (change.what === "drop") {
    for (const [namespace, id] of await idsIn(reader, manifest, change)) held.get(namespace)?.delete(id);
    return;
  }
  const ids = await idsIn(reader, manifest, change);
  const vectors = await vectorsIn(reader, manifest, change);
  for (const [place, [namespace, vector]] of vectors.entries()) {
    const [sameNamespace, id] = ids[place] ?? [];
    if (sameNamespace !== namespace || id !== vector.id) wrong.push(`line ${place + 1} of ${change.block} is ${vector.id}, its ids say ${String(id)}`);
    if (index.dimension !== null && vector.values !== undefined && vector.values.length !== index.dimension) wrong.push(`${vector.id} has ${vector.values.length} values`);
    const one = held.get(namespace) ?? new Set();
    held.set(namespace, one);
    one.add(vector.id);
    note(namespace, vector.id, hashOf(vector));
  }
}
