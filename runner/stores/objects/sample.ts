/** A seeded sample out of a stream whose length nobody knows: the same seed always finds the same objects. Pure. */
import { createHash } from "node:crypto";

/**
 * The `size` items whose keys hash lowest with the seed: each item is as likely as any other, and no more than `size`
 * of them are held at once.
 */
export class Sample<T> {
  readonly #seed: string;
  readonly #size: number;
  #held: { readonly rank: string; readonly item: T }[] = [];

  constructor(seed: string, size: number) {
    this.#seed = seed;
    this.#size = size;
  }

  offer(key: string, item: T): void {
    const rank = createHash("sha256").update(`${this.#seed}\0${key}`).digest("hex");
    const last = this.#held.at(-1);
    if (last !== undefined && this.#held.length >= this.#size && rank >= last.rank) return;
    const at = this.#held.findIndex((held) => held.rank > rank);
    this.#held.splice(at === -1 ? this.#held.length : at, 0, { rank, item });
    if (this.#held.length > this.#size) this.#held.pop();
  }

  get items(): readonly T[] {
    return this.#held.map(({ item }) => item);
  }
}
