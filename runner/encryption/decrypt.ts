import { createDecipheriv, createHash } from "node:crypto";
import { Readable } from "node:stream";
import { createInflate, createInflateRaw } from "node:zlib";
import { DrError, messageOf } from "../errors.ts";
import { ByteReader, Malformed, nextPacket, tags, type Packet } from "./packets.ts";
import { openSessionKeys, type SessionKey } from "./session-key.ts";

/** The random bytes in front, and the two of them that are said twice. */
const prefixLength = 18;
/** The packet at the end: two bytes of header, and SHA-1. */
const trailerLength = 22;
/** A session key packet is a few hundred bytes; whatever claims more is none. */
const longestKeyPacket = 64 * 1024;

const wrongPassphrase = (cause?: unknown): DrError =>
  new DrError({ kind: "failed", what: "the passphrase does not open the message", where: "OpenPGP message", todo: "Use the passphrase of the time when it was written. If it is that one, the first bytes of the message are damaged: compare its checksum with the record's.", cause });

const damaged = (what: string, cause?: unknown): DrError =>
  new DrError({ kind: "failed", what: `the message is damaged or cut off: ${what}`, where: "OpenPGP message", todo: "Use the copy in another backend; what was decrypted of this one is not to be used.", cause });

const unsupported = (what: string): DrError => new DrError({ kind: "failed", what, where: "OpenPGP message", todo: "Open it with gpg." });

/**
 * Decrypts a message as a stream. Throws before the first byte where the passphrase is wrong, and at the end where
 * what came out is not what was written.
 */
export async function* decryptMessage(source: Readable, passphrase: string): AsyncGenerator<Uint8Array, void> {
  const reader = new ByteReader(source as AsyncIterable<Uint8Array>);
  try {
    const { body, keys } = await openMessage(reader, passphrase);
    const plain = await unprotect(body, keys);
    yield* contents(plain);
    await plain.drain(); // only at its end is the checksum compared
  } catch (error) {
    if (error instanceof Malformed) throw damaged(error.message, error);
    throw error;
  }
}

/** Reads the session key packets up to the data. */
async function openMessage(reader: ByteReader, passphrase: string): Promise<{ readonly body: Packet["body"]; readonly keys: readonly SessionKey[] }> {
  const keyPackets: Buffer[] = [];
  for (let packet = await nextPacket(reader); packet !== undefined; packet = await nextPacket(reader)) {
    switch (packet.tag) {
      case tags.symmetricSessionKey:
        keyPackets.push(await whole(packet));
        break;
      case tags.publicKeySessionKey:
      case tags.marker:
      case tags.padding:
        await whole(packet);
        break;
      case tags.integrityProtected: {
        if (keyPackets.length === 0) throw unsupported("the message is for other keys, and no passphrase opens it");
        const keys = await openSessionKeys(keyPackets, passphrase);
        if (keys.length === 0) throw wrongPassphrase();
        return { body: packet.body, keys };
      }
      case tags.aead:
        throw unsupported("the message uses a form of encryption that only newer gpg knows");
      case tags.withoutIntegrity:
        throw damaged("it has no protection against change, which nothing that dr writes lacks");
      default:
        throw new Malformed(`a packet of type ${packet.tag} stands where the encrypted data should`);
    }
  }
  throw new Malformed("the encrypted data is missing");
}

/** One packet as bytes, with a header of its own in front. */
async function whole(packet: Packet): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of packet.body) {
    parts.push(part);
    length += part.length;
    if (length > longestKeyPacket) throw new Malformed("a key packet is too long");
  }
  const header = Buffer.alloc(6, 0xff);
  header.writeUInt8(0xc0 | packet.tag);
  header.writeUInt32BE(length, 2);
  return Buffer.concat([header, ...parts]);
}

/** Finds the key by the two bytes that the message says twice, and gives what is inside, with its checksum compared at the end. */
async function unprotect(body: Packet["body"], keys: readonly SessionKey[]): Promise<ByteReader> {
  const reader = new ByteReader(body);
  const version = await reader.byte();
  if (version !== 1) throw unsupported(`the message uses version ${version} of integrity protection`);
  const head = await reader.exactly(prefixLength);
  for (const { cipher, key } of keys) {
    const decipher = createDecipheriv(cipher, key, Buffer.alloc(16));
    const prefix = decipher.update(head);
    if (prefix.readUInt16BE(14) === prefix.readUInt16BE(16)) return new ByteReader(checked(reader, prefix, (chunk) => decipher.update(chunk)));
  }
  throw wrongPassphrase();
}

async function* checked(reader: ByteReader, prefix: Buffer, decipher: (chunk: Buffer) => Buffer): AsyncGenerator<Buffer> {
  const digest = createHash("sha1").update(prefix);
  let tail = Buffer.alloc(0);
  for (let chunk = await reader.some(1024 ** 2); chunk !== undefined; chunk = await reader.some(1024 ** 2)) {
    const plain = Buffer.concat([tail, decipher(chunk)]);
    const ready = plain.subarray(0, Math.max(0, plain.length - trailerLength));
    tail = plain.subarray(ready.length);
    digest.update(ready);
    if (ready.length > 0) yield ready;
  }
  const whole = tail.length === trailerLength && tail.readUInt16BE() === 0xd314 && digest.update(tail.subarray(0, 2)).digest().equals(tail.subarray(2));
  if (!whole) throw damaged("its checksum does not match");
}

/** The data of the literal packet, unpacked where it is compressed. */
async function* contents(plain: ByteReader): AsyncGenerator<Uint8Array> {
  const packet = await nextPacket(plain).catch((cause: unknown) => {
    throw cause instanceof Malformed ? wrongPassphrase(cause) : cause; // the two bytes agree by chance once in 65,536 times
  });
  if (packet === undefined) throw new Malformed("there is nothing in it");
  switch (packet.tag) {
    case tags.literal:
      yield* literalData(new ByteReader(packet.body));
      break;
    case tags.compressed:
      yield* contents(new ByteReader(unpacked(packet)));
      break;
    case tags.onePassSignature:
    case tags.signature:
    case tags.marker:
    case tags.padding:
      await whole(packet);
      yield* contents(plain);
      break;
    default:
      throw wrongPassphrase();
  }
}

async function* literalData(reader: ByteReader): AsyncGenerator<Uint8Array> {
  await reader.byte(); // text or binary: given as it is
  await reader.exactly((await reader.byte()) + 4); // its name and its date
  for (let chunk = await reader.some(1024 ** 2); chunk !== undefined; chunk = await reader.some(1024 ** 2)) yield chunk;
}

async function* unpacked(packet: Packet): AsyncGenerator<Uint8Array> {
  const reader = new ByteReader(packet.body);
  const algorithm = await reader.byte();
  const rest = chunks(reader);
  if (algorithm === 0) {
    yield* rest;
    return;
  }
  if (algorithm !== 1 && algorithm !== 2) throw unsupported(`the message is compressed by algorithm ${algorithm} (3 is bzip2)`);
  const inflate = algorithm === 1 ? createInflateRaw() : createInflate();
  const input = Readable.from(rest, { objectMode: false });
  input.once("error", (error) => inflate.destroy(error));
  input.pipe(inflate);
  try {
    yield* inflate as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw error instanceof DrError || error instanceof Malformed ? error : damaged(messageOf(error), error);
  } finally {
    input.destroy();
  }
}

async function* chunks(reader: ByteReader): AsyncGenerator<Buffer> {
  for (let chunk = await reader.some(1024 ** 2); chunk !== undefined; chunk = await reader.some(1024 ** 2)) yield chunk;
}
