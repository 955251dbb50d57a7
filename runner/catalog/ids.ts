import { randomBytes } from "node:crypto";
import { DrError } from "../errors.ts";

export const root = "catalog/";

/** `20261122T203000123Z`: sorts as the time does, and is a name everywhere. */
const stamp = (time: Date): string => time.toISOString().replace(/[-:.]/g, "");

/** Sorts by time: `20261122T203000123Z-redis-snapshot-4f2a`. The end tells two of one millisecond apart. */
export function makeId(time: Date, store: string, kind: string): string {
  for (const part of [store, kind]) {
    if (!/^[a-z][a-z0-9-]*$/.test(part)) throw new DrError({ kind: "usage", what: `\`${part}\` cannot stand in the id of a backup`, where: "catalog", todo: "Use lower-case letters, digits and hyphens." });
  }
  return `${stamp(time)}-${store}-${kind}-${randomBytes(2).toString("hex")}`;
}

/** Of `20261122T203000123Z-redis-snapshot-4f2a`, `redis-snapshot`; `undefined` where it is no id. */
export const nameIn = (id: string): string | undefined => /^\d{8}T\d{9}Z-([a-z0-9-]+)-[0-9a-f]{4}$/.exec(id)?.[1];

export const keyOf = (store: string, id: string): string => `${root}${store}/${id}.json`;

/** The store and the id that a key names, or `undefined` where it is no record's. */
export function parseKey(key: string): { readonly store: string; readonly id: string } | undefined {
  const [, store, id] = /^catalog\/([^/]+)\/([^/]+)\.json$/.exec(key) ?? [];
  return store === undefined || id === undefined ? undefined : { store, id };
}

/** A key before every record of the store that was begun at `time` or later. */
export const keyBefore = (store: string, time: Date): string => `${root}${store}/${stamp(time)}`;

/** The ids that resemble `wanted` most, the best first: by common beginning, then by edits. */
export function nearest(wanted: string, ids: readonly string[], count = 3): string[] {
  const scored = ids.map((id) => ({ id, score: edits(wanted, id) - 2 * commonBeginning(wanted, id) }));
  return scored.sort((a, b) => a.score - b.score || (a.id < b.id ? 1 : -1)).slice(0, count).map(({ id }) => id);
}

function commonBeginning(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}

/** Levenshtein's distance. */
function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of Array.from(a).entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j += 1) next.push(Math.min((row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, (row[j] ?? 0) + (letter === b[j] ? 0 : 1)));
    row = next;
  }
  return row[b.length] ?? 0;
}
