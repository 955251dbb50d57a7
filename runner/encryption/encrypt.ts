import { createCipheriv, createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { createDeflate } from "node:zlib";
import { frame, tags } from "./packets.ts";
import { sealSessionKey } from "./session-key.ts";

export interface EncryptOptions {
  /** The name inside the message, which `gpg` offers as the output file; at most 255 bytes. */
  readonly filename?: string;
  /** Default: false, as dumps and packs are compressed already. */
  readonly compress?: boolean;
  /** Armored public keys that can open the message besides the passphrase. */
  readonly recipients?: readonly string[];
}

/** OpenPGP's number of zlib. */
const zlib = 2;

/** The whole message, as a stream: session key packets, then the data, encrypted and protected against change. */
export async function* encryptMessage(source: Readable, passphrase: string, { filename = "", compress = false, recipients = [] }: EncryptOptions): AsyncGenerator<Uint8Array, void> {
  const key = randomBytes(32);
  yield await sealSessionKey(key, passphrase, recipients);
  const literal = frame(tags.literal, literalBody(source, filename));
  yield* frame(tags.integrityProtected, protect(compress ? frame(tags.compressed, compressedBody(literal)) : literal, key));
}

async function* literalBody(source: Readable, filename: string): AsyncGenerator<Uint8Array> {
  const name = Buffer.from(filename).subarray(0, 255);
  const date = Buffer.alloc(4); // no time: the same data may be read at any, and the record has it
  yield Buffer.concat([Buffer.from("b"), Buffer.from([name.length]), name, date]);
  yield* source as AsyncIterable<Uint8Array>;
}

async function* compressedBody(plain: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield Buffer.from([zlib]);
  const packed = Readable.from(plain, { objectMode: false }).compose<ReturnType<typeof createDeflate>>(createDeflate({ level: 6 }));
  yield* packed as AsyncIterable<Uint8Array>;
}

/** Version 1: a random prefix that repeats its last two bytes, the packets, and their SHA-1, all in one CFB stream. */
async function* protect(packets: AsyncIterable<Uint8Array>, key: Uint8Array): AsyncGenerator<Uint8Array> {
  const cipher = createCipheriv("aes-256-cfb", key, Buffer.alloc(16));
  const digest = createHash("sha1");
  const take = (plain: Uint8Array): Buffer => {
    digest.update(plain);
    return cipher.update(plain);
  };
  const random = randomBytes(16);
  yield Buffer.from([1]);
  yield take(Buffer.concat([random, random.subarray(14)]));
  for await (const packet of packets) yield take(packet);
  yield take(Buffer.from([0xd3, 0x14]));
  yield cipher.update(digest.digest());
  yield cipher.final();
}
