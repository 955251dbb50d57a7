/** What the beginning of an RDB says about itself, before its first key. */
export interface RdbHeader {
  readonly rdbVersion: number;
  /** The server that wrote it, e.g. `7.0.15`. */
  readonly redisVersion: string | undefined;
  readonly aux: Readonly<Record<string, string>>;
  /** Of the first database in it; `undefined` where the header is longer than what was read or holds what we cannot skip. */
  readonly first: { readonly database: number; readonly keys: number; readonly expires: number } | undefined;
  /** True where the file has no database at all. */
  readonly empty: boolean;
}

const opcode = { slotInfo: 0xf4, function: 0xf5, aux: 0xfa, resize: 0xfb, database: 0xfe, end: 0xff } as const;

/** Reads the encodings of rdb.h; running past the end throws a RangeError, as Buffer does. */
class Cursor {
  #offset: number;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer, offset: number) {
    this.#bytes = bytes;
    this.#offset = offset;
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#offset++);
  }

  /** A length, or the special encoding (6 bits) that stands in its place. */
  #lengthOrEncoding(): { length: number } | { encoding: number } {
    const first = this.byte();
    if (first >> 6 === 0) return { length: first & 0x3f };
    if (first >> 6 === 1) return { length: ((first & 0x3f) << 8) | this.byte() };
    if (first >> 6 === 3) return { encoding: first & 0x3f };
    const wide = first === 0x81;
    const length = wide ? Number(this.#bytes.readBigUInt64BE(this.#offset)) : this.#bytes.readUInt32BE(this.#offset);
    this.#offset += wide ? 8 : 4;
    return { length };
  }

  length(): number {
    const read = this.#lengthOrEncoding();
    if ("length" in read) return read.length;
    throw new RangeError("a length is expected");
  }

  #take(length: number): Buffer {
    if (this.#offset + length > this.#bytes.length) throw new RangeError("the header is longer than what was read");
    const part = this.#bytes.subarray(this.#offset, this.#offset + length);
    this.#offset += length;
    return part;
  }

  /** `undefined` for a compressed one, which is skipped. */
  string(): string | undefined {
    const read = this.#lengthOrEncoding();
    if ("length" in read) return this.#take(read.length).toString("latin1");
    if (read.encoding <= 2) return String(this.#take(1 << read.encoding).readIntLE(0, 1 << read.encoding));
    const compressed = this.length();
    this.length();
    this.#take(compressed);
    return undefined;
  }
}

/** Reads the header from the first bytes of an RDB; `undefined` where they are no RDB. */
export function readRdbHeader(bytes: Buffer): RdbHeader | undefined {
  const magic = /^REDIS(\d{4})$/.exec(bytes.subarray(0, 9).toString("latin1"));
  if (magic === null) return undefined;
  const aux: Record<string, string> = {};
  const known = { rdbVersion: Number(magic[1]), aux, get redisVersion() { return aux["redis-ver"]; } };
  const cursor = new Cursor(bytes, 9);
  let database = 0;
  try {
    for (;;) {
      switch (cursor.byte()) {
        case opcode.aux: {
          const [name, value] = [cursor.string(), cursor.string()];
          if (name !== undefined && value !== undefined) aux[name] = value;
          break;
        }
        case opcode.function:
          cursor.string();
          break;
        case opcode.database:
          database = cursor.length();
          break;
        case opcode.slotInfo:
          for (let field = 0; field < 3; field++) cursor.length();
          break;
        case opcode.resize:
          return { ...known, first: { database, keys: cursor.length(), expires: cursor.length() }, empty: false };
        case opcode.end:
          return { ...known, first: undefined, empty: true };
        default:
          return { ...known, first: undefined, empty: false };
      }
    }
  } catch (error) {
    if (error instanceof RangeError) return { ...known, first: undefined, empty: false };
    throw error;
  }
}
