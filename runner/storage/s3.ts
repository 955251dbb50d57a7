import { PassThrough, type Readable } from "node:stream";
import { addAbortSignal } from "node:stream";
import { buffer } from "node:stream/consumers";
import { DeleteObjectsCommand, GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, NotFound, type S3Client } from "@aws-sdk/client-s3";
import type { S3BackendConfig } from "../config.ts";
import type { ByteRange, ListedObject, PutOptions, StorageBackend } from "./backend.ts";
import { StorageError, toStorageError } from "./faults.ts";
import { checkKey } from "./keys.ts";
import { upload, uploadWhole, type UploadTarget } from "./multipart.ts";
import { partLength } from "./parts.ts";
import { deadlines, openClients, withDeadline, type Clients } from "./s3-client.ts";

/** The most keys that S3 deletes in one request. */
const deleteBatch = 1_000;

/** A bucket of S3, R2 or a compatible server: path style, TLS only. */
export class S3Backend implements StorageBackend {
  readonly kind = "s3";
  readonly name: string;
  readonly #config: S3BackendConfig;
  #clients: Clients | undefined;
  #requests = 0;

  private constructor(config: S3BackendConfig) {
    this.name = config.name;
    this.#config = config;
  }

  /** Reads the credentials and the authority, and sends nothing: a bucket that is down opens all the same. */
  static async open(config: S3BackendConfig): Promise<S3Backend> {
    const backend = new S3Backend(config);
    backend.#clients = await openClients(config, () => {
      backend.#requests += 1;
    });
    return backend;
  }

  get requests(): number {
    return this.#requests;
  }

  uri(key: string): string {
    return `s3://${this.#config.bucket}/${this.#full(key)}`;
  }

  async put(key: string, source: Readable | Uint8Array, options: PutOptions = {}): Promise<{ readonly bytes: number }> {
    const where = this.#where(checkKey(key, this.name));
    const { contentType, signal, onTaken } = options;
    const target: UploadTarget = { clients: this.#open, bucket: this.#config.bucket, key: this.#full(key), where, contentType, signal, onTaken };
    return this.#translate(where, () => (source instanceof Uint8Array ? uploadWhole(target, source) : upload(target, source, partLength(options.expectedBytes))));
  }

  async get(key: string, range?: ByteRange, signal?: AbortSignal): Promise<Readable> {
    const where = this.#where(checkKey(key, this.name));
    const command = new GetObjectCommand({
      Bucket: this.#config.bucket,
      Key: this.#full(key),
      ...(range === undefined ? {} : { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` }),
    });
    const { Body: body } = await this.#send(where, (client, abortSignal) => client.send(command, { abortSignal }), signal);
    if (body === undefined) throw new StorageError("other", "the store answered without a body", where);
    return translated(body as Readable, where, signal);
  }

  async read(key: string, signal?: AbortSignal): Promise<Buffer> {
    return buffer(await this.get(key, undefined, signal));
  }

  async head(key: string): Promise<{ readonly bytes: number; readonly modifiedAt: Date } | undefined> {
    const command = new HeadObjectCommand({ Bucket: this.#config.bucket, Key: this.#full(checkKey(key, this.name)) });
    try {
      const { ContentLength: bytes = 0, LastModified: modifiedAt = new Date(0) } = await this.#send(this.#where(key), (client, abortSignal) => client.send(command, { abortSignal }));
      return { bytes, modifiedAt };
    } catch (error) {
      if (error instanceof StorageError && error.cause instanceof NotFound) return undefined;
      throw error;
    }
  }

  async *list(prefix: string, after?: string): AsyncIterable<ListedObject> {
    const skip = this.#full("").length;
    yield* this.#pages(this.#full(prefix), skip, after === undefined ? undefined : this.#full(after));
  }

  async remove(keys: readonly string[]): Promise<void> {
    for (let from = 0; from < keys.length; from += deleteBatch) {
      const batch = keys.slice(from, from + deleteBatch).map((key) => ({ Key: this.#full(checkKey(key, this.name)) }));
      const command = new DeleteObjectsCommand({ Bucket: this.#config.bucket, Delete: { Objects: batch, Quiet: true } });
      const where = this.#where(keys[from] ?? "");
      const { Errors: errors = [] } = await this.#send(where, (client, abortSignal) => client.send(command, { abortSignal }));
      const [first] = errors;
      if (first !== undefined) throw toStorageError(Object.assign(new Error(`${errors.length} of ${batch.length} objects were not removed: ${first.Message ?? ""}`), { code: first.Code }), `s3://${this.#config.bucket}/${first.Key ?? ""}`);
    }
  }

  /** The quota less everything in the bucket (not in the prefix alone): a list of it all, 1,000 objects a request. */
  async available(): Promise<number | undefined> {
    const { quotaBytes } = this.#config;
    if (quotaBytes === undefined) return undefined;
    let used = 0;
    for await (const object of this.#pages("", 0)) used += object.bytes;
    return Math.max(0, quotaBytes - used);
  }

  async check(): Promise<void> {
    // not HeadBucket: an answer to HEAD has no body, so it does not say what is wrong with the key
    const command = new ListObjectsV2Command({ Bucket: this.#config.bucket, MaxKeys: 1 });
    await this.#send(`backend ${this.name}, ${this.#config.endpoint}, bucket ${this.#config.bucket}`, (client, abortSignal) => client.send(command, { abortSignal }));
  }

  close(): void {
    this.#clients?.close();
    this.#clients = undefined;
  }

  get #open(): Clients {
    if (this.#clients === undefined) throw new TypeError(`the backend ${this.name} is closed`);
    return this.#clients;
  }

  #full(key: string): string {
    return this.#config.prefix === "" ? key : `${this.#config.prefix}/${key}`;
  }

  #where(key: string): string {
    return `backend ${this.name}, ${this.#config.endpoint}, ${this.uri(key)}`;
  }

  async *#pages(prefix: string, skip: number, startAfter?: string): AsyncGenerator<ListedObject> {
    const { bucket } = this.#config;
    let token: string | undefined;
    do {
      const command = new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: prefix,
        ...(token === undefined ? {} : { ContinuationToken: token }),
        ...(startAfter === undefined ? {} : { StartAfter: startAfter }),
      });
      const page = await this.#send(this.#where(prefix.slice(skip)), (client, abortSignal) => client.send(command, { abortSignal }));
      for (const { Key: key, Size: bytes = 0, LastModified: modifiedAt = new Date(0) } of page.Contents ?? []) {
        if (key !== undefined && !key.endsWith("/")) yield { key: key.slice(skip), bytes, modifiedAt }; // a folder's marker is no object
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  #send<T>(where: string, send: (client: S3Client, signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#translate(where, () => withDeadline(where, { deadline: deadlines.small, signal }, (abortSignal) => send(this.#open.quick, abortSignal)));
  }

  async #translate<T>(where: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw toStorageError(error, where);
    }
  }
}

/** A body whose errors say where they happened, and that lets go of its connection when nobody reads it any more. */
function translated(body: Readable, where: string, signal: AbortSignal | undefined): Readable {
  const out = new PassThrough();
  body.once("error", (error) => out.destroy(toStorageError(error, where)));
  body.once("close", () => {
    if (!body.readableEnded) out.destroy(new StorageError("broken-off", "the store broke the connection off", where));
  });
  out.once("close", () => body.destroy());
  body.pipe(out);
  out.on("error", () => undefined); // whoever reads it hears of it, also where it comes before they do
  return signal === undefined ? out : addAbortSignal(signal, out);
}
