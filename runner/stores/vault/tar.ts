/** Takes a tar archive in pieces; enough of the format for what servers write into a snapshot. */
export interface TarVisitor {
  begin(name: string): void;
  data(chunk: Uint8Array): void;
  end(): void;
}

const block = 512;

export class TarReader {
  readonly #visitor: TarVisitor;
  #header = Buffer.alloc(0);
  /** Of the file that is being read. */
  #left = 0;
  #padding = 0;
  #inside = false;
  #finished = false;

  constructor(visitor: TarVisitor) {
    this.#visitor = visitor;
  }

  /** Throws a `RangeError` where this is no such archive. */
  write(chunk: Uint8Array): void {
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    while (rest.length > 0 && !this.#finished) rest = this.#inside ? this.#content(rest) : this.#begin(rest);
  }

  /** Throws a `RangeError` where the archive has no end. */
  end(): void {
    if (!this.#finished) throw new RangeError("the archive is cut off");
  }

  #begin(chunk: Buffer): Buffer {
    const wanted = this.#padding > 0 ? this.#padding : block - this.#header.length;
    const taken = chunk.subarray(0, wanted);
    const rest = chunk.subarray(taken.length);
    if (this.#padding > 0) {
      this.#padding -= taken.length;
      return rest;
    }
    this.#header = Buffer.concat([this.#header, taken]);
    if (this.#header.length === block) this.#read();
    return rest;
  }

  #read(): void {
    const header = this.#header;
    this.#header = Buffer.alloc(0);
    if (header.every((byte) => byte === 0)) {
      this.#finished = true;
      return;
    }
    const field = (from: number, length: number) => header.subarray(from, from + length).toString("latin1").replace(/[\0 ]+$/, "");
    const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0);
    if (sum !== Number.parseInt(field(148, 8), 8)) throw new RangeError("the archive has a header that does not fit its checksum");
    const size = Number.parseInt(field(124, 12), 8);
    if (!Number.isSafeInteger(size)) throw new RangeError(`the archive names a file of the size ${JSON.stringify(field(124, 12))}`);
    this.#left = size;
    this.#padding = (block - (size % block)) % block;
    this.#inside = true;
    this.#visitor.begin(field(0, 100));
    if (size === 0) this.#close();
  }

  #content(chunk: Buffer): Buffer {
    const taken = chunk.subarray(0, this.#left);
    this.#visitor.data(taken);
    this.#left -= taken.length;
    if (this.#left === 0) this.#close();
    return chunk.subarray(taken.length);
  }

  #close(): void {
    this.#inside = false;
    this.#visitor.end();
  }
}
