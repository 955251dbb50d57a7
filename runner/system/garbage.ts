import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Bytes that garbage may grow to: each collection looks at all that lives, so it should find much. */
const slack = 64 * 1024 ** 2;

/** What lives and what is garbage by now, on V8's heap and outside of it. */
const inUse = (): number => {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

let collector: (() => void) | undefined;

/** V8's own collection, which Node gives to nobody by itself; there is no other way to it than this flag. */
function collect(): void {
  if (collector === undefined) {
    setFlagsFromString("--expose-gc");
    const found: unknown = runInNewContext("gc");
    if (typeof found !== "function") return; // an optimisation: without it more memory is used, and nothing is wrong
    collector = () => void Reflect.apply(found, undefined, []);
  }
  collector();
}

/**
 * Bounds the memory of work that goes through far more than it holds. V8 collects late where memory seems plenty: a
 * checkpoint that holds 60 MiB had 400 MiB resident. Asked after each piece of the work, it costs a collection every
 * `slack` bytes.
 */
export class GarbageLimit {
  #after = inUse();

  check(): void {
    const now = inUse();
    this.#after = Math.min(this.#after, now); // buffers that were found are given back a moment later, by another thread
    if (now - this.#after < slack) return;
    collect();
    this.#after = inUse();
  }
}
