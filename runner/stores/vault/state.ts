import { bytesOf, textOf, varintIn } from "./wire.ts";

/** One key of Vault's storage with its value, as a snapshot's `state.bin` has them: one after the other, each behind its length. */
export interface StateEntry {
  readonly key: string;
  /** Encrypted by the barrier, but for a few that say how to unseal. */
  readonly value: Uint8Array;
}

/** More than any server writes as one: a length beyond it is damage. */
const largestEntry = 256 * 1024 ** 2;

/** Takes `state.bin` in pieces and tells of each entry in it. */
export class StateReader {
  #parts: Uint8Array[] = [];
  #held = 0;
  /** So many bytes have to be there before it is of use to look again: a large entry comes in many pieces. */
  #wanted = 1;
  #count = 0;
  readonly #onEntry: (entry: StateEntry) => void;

  constructor(onEntry: (entry: StateEntry) => void) {
    this.#onEntry = onEntry;
  }

  get count(): number {
    return this.#count;
  }

  write(chunk: Uint8Array): void {
    this.#parts.push(Uint8Array.from(chunk)); // a copy: the chunk is not ours to keep
    this.#held += chunk.length;
    if (this.#held < this.#wanted) return;
    const rest = this.#take(Buffer.concat(this.#parts));
    this.#parts = [rest];
    this.#held = rest.length;
  }

  /** Throws a `RangeError` where it ended inside an entry. */
  end(): void {
    if (this.#held > 0) throw new RangeError("state.bin ends inside an entry");
  }

  /** What is left behind the last whole entry. */
  #take(held: Uint8Array): Uint8Array {
    for (let at = 0; ; ) {
      const length = varintIn(held, at);
      if (length !== undefined && length.value > BigInt(largestEntry)) throw new RangeError(`state.bin holds an entry of ${length.value} bytes`);
      const end = length === undefined ? held.length + 1 : length.next + Number(length.value);
      if (length === undefined || end > held.length) {
        this.#wanted = end - at;
        return held.subarray(at);
      }
      this.#tell(held.subarray(length.next, end));
      at = end;
    }
  }

  #tell(message: Uint8Array): void {
    this.#count += 1;
    this.#onEntry({ key: textOf(message, 1), value: bytesOf(message, 2) });
  }
}
