/**
 * How OpenPGP frames its packets (RFC 4880, section 4.2; the same in RFC 9580), as streams. The `openpgp` library does
 * the keys; the bulk goes through Node's own ciphers, as the library's stream of a damaged or wrongly opened message
 * may wait for ever (measured with 6.3.2: a flipped byte in a compressed message, one wrong passphrase in twenty).
 */
export const tags = { publicKeySessionKey: 1, signature: 2, symmetricSessionKey: 3, onePassSignature: 4, compressed: 8, withoutIntegrity: 9, marker: 10, literal: 11, integrityProtected: 18, aead: 20, padding: 21 } as const;

/** The bytes are no OpenPGP, or not all of them are there. */
export class Malformed extends Error {
  override readonly name = "Malformed";
}

/** The size of a piece of a packet whose length is not known when it begins: a power of two, at least 512. */
const pieceExponent = 20;
const pieceLength = 2 ** pieceExponent;

function lengthOf(length: number): Buffer {
  if (length < 192) return Buffer.from([length]);
  if (length < 8_384) return Buffer.from([((length - 192) >> 8) + 192, (length - 192) & 0xff]);
  const bytes = Buffer.alloc(5, 0xff);
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

/** Frames a stream as one packet: in pieces where it is long, with a plain length where it is short. */
export async function* frame(tag: number, body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Buffer> {
  let held = Buffer.from([0xc0 | tag]);
  let waiting: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    waiting.push(chunk);
    length += chunk.length;
    if (length < pieceLength) continue;
    const all = Buffer.concat(waiting, length);
    let from = 0;
    for (; length - from >= pieceLength; from += pieceLength) {
      yield Buffer.concat([held, Buffer.from([0xe0 | pieceExponent]), all.subarray(from, from + pieceLength)]);
      held = Buffer.alloc(0);
    }
    waiting = [all.subarray(from)];
    length -= from;
  }
  yield Buffer.concat([held, lengthOf(length), ...waiting]);
}

/** Reads a stream by exact numbers of bytes. It never closes the stream by itself: `drain` reads it to its end. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #held: Uint8Array = new Uint8Array(0);
  #ended = false;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The next bytes, at most `most` of them; `undefined` at the end. */
  async some(most: number): Promise<Buffer | undefined> {
    while (this.#held.length === 0) {
      if (this.#ended) return undefined;
      const step = await this.#source.next();
      if (step.done === true) this.#ended = true;
      else this.#held = step.value;
    }
    const taken = this.#held.subarray(0, most);
    this.#held = this.#held.subarray(taken.length);
    return Buffer.from(taken.buffer, taken.byteOffset, taken.length);
  }

  /** Exactly `count` bytes. */
  async exactly(count: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let missing = count; missing > 0; ) {
      const part = await this.some(missing);
      if (part === undefined) throw new Malformed("it ends in the middle of a packet");
      parts.push(part);
      missing -= part.length;
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  }

  async byte(): Promise<number> {
    return (await this.exactly(1)).readUInt8();
  }

  async drain(): Promise<void> {
    while ((await this.some(pieceLength)) !== undefined);
  }
}

export interface Packet {
  readonly tag: number;
  /** Must be read to its end before the next packet. */
  readonly body: AsyncGenerator<Buffer>;
}

/** The next packet, or `undefined` at the end of the stream. */
export async function nextPacket(reader: ByteReader): Promise<Packet | undefined> {
  const first = (await reader.some(1))?.[0];
  if (first === undefined) return undefined;
  if ((first & 0x80) === 0) throw new Malformed("it is no OpenPGP packet");
  if ((first & 0x40) !== 0) return { tag: first & 0x3f, body: newBody(reader) };
  return { tag: (first >> 2) & 0x0f, body: oldBody(reader, first & 3) };
}

async function* bytes(reader: ByteReader, count: number): AsyncGenerator<Buffer> {
  for (let missing = count; missing > 0; ) {
    const part = await reader.some(missing);
    if (part === undefined) throw new Malformed("it ends in the middle of a packet");
    missing -= part.length;
    yield part;
  }
}

async function* newBody(reader: ByteReader): AsyncGenerator<Buffer> {
  for (;;) {
    const first = await reader.byte();
    const isPiece = first >= 224 && first < 255;
    yield* bytes(reader, isPiece ? 2 ** (first & 0x1f) : await plainLength(reader, first));
    if (!isPiece) return;
  }
}

async function plainLength(reader: ByteReader, first: number): Promise<number> {
  if (first < 192) return first;
  if (first < 224) return ((first - 192) << 8) + (await reader.byte()) + 192;
  return (await reader.exactly(4)).readUInt32BE();
}

async function* oldBody(reader: ByteReader, lengthType: number): AsyncGenerator<Buffer> {
  if (lengthType < 3) {
    const width = 2 ** lengthType;
    yield* bytes(reader, (await reader.exactly(width)).readUIntBE(0, width));
  } else {
    for (let part = await reader.some(pieceLength); part !== undefined; part = await reader.some(pieceLength)) yield part; // to the end
  }
}
