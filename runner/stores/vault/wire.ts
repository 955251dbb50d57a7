/** Protocol buffers as far as a snapshot needs them: fields by number, the last one of a number counts. */

export interface Field {
  readonly number: number;
  readonly value: Uint8Array | bigint;
}

/** The fields of one message. Throws a `RangeError` where it ends in the middle of one. */
export function* fieldsOf(message: Uint8Array): Generator<Field, void> {
  for (let at = 0; at < message.length; ) {
    const key = varint(message, at);
    const [number, kind] = [Number(key.value >> 3n), Number(key.value & 7n)];
    at = key.next;
    if (kind === 0) {
      const { value, next } = varint(message, at);
      yield { number, value };
      at = next;
    } else if (kind === 2) {
      const { value: length, next } = varint(message, at);
      const end = next + Number(length);
      if (end > message.length) throw new RangeError("a field reaches beyond its message");
      yield { number, value: message.subarray(next, end) };
      at = end;
    } else if (kind === 1 || kind === 5) {
      at += kind === 1 ? 8 : 4;
    } else throw new RangeError(`a field of the unknown kind ${kind}`);
  }
}

/** The content of a field of bytes; empty where the message has none. */
export function bytesOf(message: Uint8Array, number: number): Uint8Array {
  let found: Uint8Array = new Uint8Array();
  for (const field of fieldsOf(message)) if (field.number === number && field.value instanceof Uint8Array) found = field.value;
  return found;
}

export const textOf = (message: Uint8Array, number: number): string => Buffer.from(bytesOf(message, number)).toString("utf8");

const longestVarint = 10;

function varint(bytes: Uint8Array, from: number): { readonly value: bigint; readonly next: number } {
  const found = varintIn(bytes, from);
  if (found === undefined) throw new RangeError("a number is cut off");
  return found;
}

/** The number at `from`; `undefined` where more bytes are needed to tell. */
export function varintIn(bytes: Uint8Array, from = 0): { readonly value: bigint; readonly next: number } | undefined {
  let value = 0n;
  for (let index = 0; index < longestVarint; index += 1) {
    const byte = bytes[from + index];
    if (byte === undefined) return undefined;
    value |= BigInt(byte & 0x7f) << BigInt(7 * index);
    if (byte < 0x80) return { value, next: from + index + 1 };
  }
  throw new RangeError("a number is longer than 64 bits");
}
