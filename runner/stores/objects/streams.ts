/** Merging of listings that are in the order of their keys, one object of each in memory at a time. */
import { DrError } from "../../errors.ts";
import { compareKeys } from "./keys.ts";

interface Keyed {
  readonly key: string;
}

/**
 * The same stream, checked: a listing out of order would make objects look deleted that are not.
 * @throws DrError at the first key that is not behind the one before it
 */
export async function* ordered<T extends Keyed>(stream: AsyncIterable<T>, where: string): AsyncGenerator<T, void> {
  let last: string | undefined;
  for await (const item of stream) {
    if (last !== undefined && compareKeys(item.key, last) <= 0) throw new DrError({ kind: "failed", what: `the listing is not in the order of the keys: ${JSON.stringify(item.key)} comes after ${JSON.stringify(last)}`, where, todo: "Use a store that lists as S3 does; nothing was changed by this run." });
    last = item.key;
    yield item;
  }
}

/** Both streams as one; of the same key `upper`'s. */
export async function* overlay<T extends Keyed>(lower: AsyncIterable<T>, upper: AsyncIterable<T>): AsyncGenerator<T, void> {
  for await (const [below, above] of join(lower, upper)) {
    const item = above ?? below;
    if (item !== undefined) yield item;
  }
}

/** All of them as one; of the same key the last stream's. */
export function overlayAll<T extends Keyed>(streams: readonly AsyncIterable<T>[]): AsyncIterable<T> {
  const [first, ...rest] = streams;
  if (first === undefined) return nothing();
  if (rest.length === 0) return first;
  const half = Math.ceil(streams.length / 2);
  return overlay(overlayAll(streams.slice(0, half)), overlayAll(streams.slice(half)));
}

export async function* nothing(): AsyncGenerator<never, void> {
  // has no items
}

/** Pairs of the same key, in order; one side is `undefined` where it lacks the key. */
export async function* join<A extends Keyed, B extends Keyed>(left: AsyncIterable<A>, right: AsyncIterable<B>): AsyncGenerator<readonly [A | undefined, B | undefined], void> {
  const [lefts, rights] = [left[Symbol.asyncIterator](), right[Symbol.asyncIterator]()];
  try {
    let [a, b] = [await nextOf(lefts), await nextOf(rights)];
    while (a !== undefined || b !== undefined) {
      const order: number = a === undefined ? 1 : b === undefined ? -1 : compareKeys(a.key, b.key);
      yield [order <= 0 ? a : undefined, order >= 0 ? b : undefined];
      if (order <= 0) a = await nextOf(lefts);
      if (order >= 0) b = await nextOf(rights);
    }
  } finally {
    await lefts.return?.();
    await rights.return?.();
  }
}

const nextOf = async <T>(iterator: AsyncIterator<T, unknown>): Promise<T | undefined> => {
  const next = await iterator.next();
  return next.done === true ? undefined : next.value;
};

/** Calls `work` for each item, `atOnce` at a time; the first failure ends it, after what was begun. */
export async function forEachAtOnce<T>(items: Iterable<T> | AsyncIterable<T>, atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  for await (const item of items) {
    const task: Promise<void> = work(item).catch((error: unknown) => void failures.push(error)).finally(() => running.delete(task));
    running.add(task);
    if (running.size >= atOnce) await Promise.race(running);
    if (failures.length > 0) break;
  }
  await Promise.all(running);
  if (failures.length > 0) throw failures[0];
}
