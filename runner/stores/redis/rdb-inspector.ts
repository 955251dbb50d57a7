import { Transform, type TransformCallback } from "node:stream";
import { DrError } from "../../errors.ts";
import { Crc64 } from "./crc64.ts";
import { readRdbHeader, type RdbHeader } from "./rdb-header.ts";

/** `redis-cli --rdb -` writes the end mark of a diskless transfer (40 hexadecimal digits) behind the dump. */
const markBytes = 40;
const checksumBytes = 8;
const endOpcode = 0xff;
const heldBytes = 1 + checksumBytes + markBytes;
/** Functions stand before the first key, so a header may be long. */
const headerBytes = 256 * 1024;

export interface RdbSummary extends RdbHeader {
  /** Of the RDB itself, without the mark. */
  readonly bytes: number;
}

/**
 * Lets an RDB through and takes the transfer's end mark off it. It ends well only where the dump is whole: the header
 * is an RDB's, the end opcode is there, and the checksum is that of everything before it. Otherwise the stream fails,
 * and so does whatever is being made from it.
 */
export class RdbInspector extends Transform {
  readonly #crc = new Crc64();
  readonly #ended: () => Promise<unknown>;
  readonly #where: string;
  #held: Buffer = Buffer.alloc(0);
  #header: Buffer[] = [];
  #headerBytes = 0;
  #passed = 0;
  #summary: RdbSummary | undefined;

  /** `ended` resolves when whoever writes has ended well; nothing is passed as whole before that. */
  constructor(ended: () => Promise<unknown>, where: string) {
    super();
    this.#ended = ended;
    this.#where = where;
  }

  get summary(): RdbSummary {
    if (this.#summary !== undefined) return this.#summary;
    throw this.#broken("its end has not come");
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const all = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const pass = Math.max(0, all.length - heldBytes);
    this.#held = all.subarray(pass);
    done(null, pass === 0 ? undefined : this.#let(all.subarray(0, pass)));
  }

  override _flush(done: TransformCallback): void {
    this.#ended().then(
      () => {
        try {
          this.push(this.#finish());
          done();
        } catch (error) {
          done(error instanceof Error ? error : new Error(String(error)));
        }
      },
      (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
    );
  }

  #let(part: Buffer): Buffer {
    this.#crc.update(part);
    this.#passed += part.length;
    this.#keepHeader(part);
    return part;
  }

  #keepHeader(part: Buffer): void {
    if (this.#headerBytes >= headerBytes) return;
    this.#header.push(Buffer.from(part.subarray(0, headerBytes - this.#headerBytes)));
    this.#headerBytes += part.length;
  }

  #finish(): Buffer {
    const end = [markBytes, 0].map((mark) => this.#held.length - mark).find((length) => this.#endsAt(length));
    if (end === undefined) throw this.#broken("it ends without an RDB's end and checksum");
    const last = this.#held.subarray(0, end);
    this.#keepHeader(last);
    const header = readRdbHeader(Buffer.concat(this.#header));
    if (header === undefined) throw this.#broken("it does not begin as an RDB does");
    this.#summary = { ...header, bytes: this.#passed + last.length };
    this.#header = [];
    return last;
  }

  /** Whether the RDB ends after `length` held bytes. A checksum of zero: the server has `rdbchecksum no`. */
  #endsAt(length: number): boolean {
    const body = length - checksumBytes;
    if (body < 1 || this.#held[body - 1] !== endOpcode) return false;
    if (!/^[0-9a-f]*$/.test(this.#held.subarray(length).toString("latin1"))) return false;
    const stored = this.#held.subarray(body, length);
    return stored.every((byte) => byte === 0) || stored.equals(this.#crc.copy().update(this.#held.subarray(0, body)).digest());
  }

  #broken(why: string): DrError {
    return new DrError({ kind: "failed", what: `the dump is not whole: ${why} (after ${this.#passed + this.#held.length} bytes)`, where: this.#where, todo: "See whether the server was stopped or ran out of memory while it dumped; then back up again." });
  }
}
