/**
 * The checksum at the end of an RDB: CRC-64 by Jones (0xad93d23594c935a9), reflected, starting at 0. It is kept in two
 * halves of 32 bits and takes eight bytes at once: with BigInt it would cost a minute per GiB.
 */
const reflectedLow = 0xac4bc9b5;
const reflectedHigh = 0x95ac9329;

/** Eight tables of 256 entries: table n is the effect of a byte that n more bytes follow. */
const lows = new Uint32Array(8 * 256);
const highs = new Uint32Array(8 * 256);

for (let byte = 0; byte < 256; byte++) {
  let low = byte;
  let high = 0;
  for (let bit = 0; bit < 8; bit++) {
    const odd = (low & 1) === 1;
    low = (low >>> 1) | ((high & 1) << 31);
    high >>>= 1;
    if (odd) {
      low ^= reflectedLow;
      high ^= reflectedHigh;
    }
  }
  lows[byte] = low;
  highs[byte] = high;
}
for (let entry = 256; entry < lows.length; entry++) {
  const [low, high] = [at(lows, entry - 256), at(highs, entry - 256)];
  lows[entry] = ((low >>> 8) | (high << 24)) ^ at(lows, low & 0xff);
  highs[entry] = (high >>> 8) ^ at(highs, low & 0xff);
}

/** The index is always inside: it is masked or counted. */
function at(table: Uint32Array, index: number): number {
  return table[index] ?? 0;
}

export class Crc64 {
  #low = 0;
  #high = 0;

  update(data: Uint8Array): this {
    let low = this.#low;
    let high = this.#high;
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    let offset = 0;
    for (; offset + 8 <= data.length; offset += 8) {
      const l = low ^ view.getInt32(offset, true);
      const h = high ^ view.getInt32(offset + 4, true);
      const [a, b, c, d] = [1792 | (l & 0xff), 1536 | ((l >>> 8) & 0xff), 1280 | ((l >>> 16) & 0xff), 1024 | (l >>> 24)];
      const [e, f, g, i] = [768 | (h & 0xff), 512 | ((h >>> 8) & 0xff), 256 | ((h >>> 16) & 0xff), h >>> 24];
      low = at(lows, a) ^ at(lows, b) ^ at(lows, c) ^ at(lows, d) ^ at(lows, e) ^ at(lows, f) ^ at(lows, g) ^ at(lows, i);
      high = at(highs, a) ^ at(highs, b) ^ at(highs, c) ^ at(highs, d) ^ at(highs, e) ^ at(highs, f) ^ at(highs, g) ^ at(highs, i);
    }
    for (; offset < data.length; offset++) {
      const index = (low ^ view.getUint8(offset)) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ at(lows, index);
      high = (high >>> 8) ^ at(highs, index);
    }
    this.#low = low;
    this.#high = high;
    return this;
  }

  copy(): Crc64 {
    const other = new Crc64();
    other.#low = this.#low;
    other.#high = this.#high;
    return other;
  }

  /** As an RDB ends with it: eight bytes, the lowest first. */
  digest(): Buffer {
    const bytes = Buffer.alloc(8);
    bytes.writeInt32LE(this.#low | 0, 0);
    bytes.writeInt32LE(this.#high | 0, 4);
    return bytes;
  }
}
