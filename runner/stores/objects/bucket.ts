import type { Readable } from "node:stream";
import { CopyObjectCommand, DeleteObjectsCommand, GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, NotFound } from "@aws-sdk/client-s3";
import type { S3BackendConfig } from "../../config.ts";
import type { ByteRange } from "../../storage/backend.ts";
import { StorageError, toStorageError } from "../../storage/faults.ts";
import { upload, uploadWhole } from "../../storage/multipart.ts";
import { partLength } from "../../storage/parts.ts";
import { deadlines, openClients, withDeadline, type Clients } from "../../storage/s3-client.ts";
import type { Credentials } from "../../storage/credentials.ts";

/** An object as a listing shows it. */
export interface Found {
  readonly key: string;
  readonly bytes: number;
  readonly etag: string;
  readonly modifiedAt: Date;
}

/** One object's content on its way, with what belongs to it. */
export interface Opened {
  readonly body: Readable;
  readonly bytes: number;
  readonly etag: string;
  readonly modifiedAt: Date;
  readonly contentType: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface Head {
  readonly bytes: number;
  readonly etag: string;
  readonly modifiedAt: Date;
  /** Absent where the bucket keeps no versions. */
  readonly version: string | undefined;
}

/** S3 copies at most that much by one request, in bytes. */
const mostCopied = 5 * 1024 ** 3;
const unquoted = (etag: string | undefined): string => (etag ?? "").replaceAll('"', "");
/** Of a bucket whose versions were never switched on it is the word `null`. */
const versionOf = (version: string | undefined): string | undefined => (version === "null" ? undefined : version);

/** A bucket whose keys may be anything, where a backend's are `dr`'s own. Keys are relative to the configured prefix. */
export class ObjectBucket {
  readonly config: S3BackendConfig;
  readonly #clients: Clients;

  private constructor(config: S3BackendConfig, clients: Clients) {
    this.config = config;
    this.#clients = clients;
  }

  /** Reads the credentials and sends nothing. */
  static async open(config: S3BackendConfig): Promise<ObjectBucket> {
    return new ObjectBucket(config, await openClients(config, () => undefined));
  }

  uri(key: string): string {
    return `s3://${this.config.bucket}/${this.full(key)}`;
  }

  full(key: string): string {
    return this.config.prefix === "" ? key : `${this.config.prefix}/${key}`;
  }

  /** In the order of the keys, page by page, folders' markers too. */
  async *list(prefix: string, after?: string): AsyncGenerator<Found, void> {
    const skip = this.full("").length;
    let token: string | undefined;
    do {
      const command = new ListObjectsV2Command({
        Bucket: this.config.bucket, Prefix: this.full(prefix),
        EncodingType: "url", // XML cannot say every key
        ...(token === undefined ? (after === undefined ? {} : { StartAfter: this.full(after) }) : { ContinuationToken: token }),
      });
      const page = await this.#send(prefix, (signal) => this.#clients.quick.send(command, { abortSignal: signal }));
      const keyOf = page.EncodingType === "url" ? (key: string) => decodeURIComponent(key.replaceAll("+", " ")) : (key: string) => key;
      for (const { Key, Size: bytes = 0, ETag, LastModified: modifiedAt = new Date(0) } of page.Contents ?? []) {
        if (Key !== undefined) yield { key: keyOf(Key).slice(skip), bytes, etag: unquoted(ETag), modifiedAt };
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async head(key: string): Promise<Head | undefined> {
    const command = new HeadObjectCommand({ Bucket: this.config.bucket, Key: this.full(key) });
    try {
      const { ContentLength: bytes = 0, ETag, LastModified: modifiedAt = new Date(0), VersionId } = await this.#send(key, (signal) => this.#clients.quick.send(command, { abortSignal: signal }));
      return { bytes, etag: unquoted(ETag), modifiedAt, version: versionOf(VersionId) };
    } catch (error) {
      if (error instanceof StorageError && error.cause instanceof NotFound) return undefined;
      throw error;
    }
  }

  /** The newest content, or that of one version, or one range of it. */
  async get(key: string, { version, range, signal }: { readonly version?: string | undefined; readonly range?: ByteRange; readonly signal?: AbortSignal } = {}): Promise<Opened> {
    const command = new GetObjectCommand({
      Bucket: this.config.bucket, Key: this.full(key),
      ...(version === undefined ? {} : { VersionId: version }),
      ...(range === undefined ? {} : { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` }),
    });
    const { Body: body, ContentLength: bytes = 0, ETag, LastModified: modifiedAt = new Date(0), ContentType: contentType, Metadata: metadata = {} } = await this.#send(key, (abortSignal) => this.#clients.quick.send(command, { abortSignal }), signal);
    if (body === undefined) throw new StorageError("other", "the store answered without a body", this.#where(key));
    return { body: body as Readable, bytes, etag: unquoted(ETag), modifiedAt, contentType, metadata };
  }

  /** As a whole or not at all. */
  async put(key: string, source: Readable | Uint8Array, { expectedBytes, contentType, metadata, signal }: { readonly expectedBytes?: number; readonly contentType?: string | undefined; readonly metadata?: Readonly<Record<string, string>>; readonly signal?: AbortSignal } = {}): Promise<{ readonly bytes: number }> {
    const target = { clients: this.#clients, bucket: this.config.bucket, key: this.full(key), where: this.#where(key), contentType, metadata, signal };
    return this.#translate(key, () => (source instanceof Uint8Array ? uploadWhole(target, source) : upload(target, source, partLength(expectedBytes))));
  }

  /** Inside the bucket, by the store itself; `false` where there is nothing to copy. */
  async copyWithin(from: string, to: string, bytes: number): Promise<boolean> {
    if (bytes > mostCopied) throw new StorageError("other", "S3 copies no more than 5 GiB by one request, so the older content cannot be kept", this.#where(from));
    const source = [this.config.bucket, ...this.full(from).split("/")].map(encodeURIComponent).join("/");
    const command = new CopyObjectCommand({ Bucket: this.config.bucket, Key: this.full(to), CopySource: source });
    try {
      await this.#translate(from, () => withDeadline(this.#where(from), { deadline: deadlines.part }, (signal) => this.#clients.patient.send(command, { abortSignal: signal })));
      return true;
    } catch (error) {
      if (error instanceof StorageError && error.fault === "missing-object") return false;
      throw error;
    }
  }

  /** At most 1,000 keys. */
  async remove(keys: readonly string[]): Promise<void> {
    const command = new DeleteObjectsCommand({ Bucket: this.config.bucket, Delete: { Objects: keys.map((key) => ({ Key: this.full(key) })), Quiet: true } });
    const { Errors: [first] = [] } = await this.#send(keys[0] ?? "", (signal) => this.#clients.quick.send(command, { abortSignal: signal }));
    if (first !== undefined) throw toStorageError(Object.assign(new Error(first.Message ?? "not removed"), { code: first.Code }), this.#where(keys[0] ?? ""));
  }

  /** What a program of its own may use: the file's, or those that the pod's role has for an hour. */
  async credentials(): Promise<Credentials> {
    const { accessKeyId, secretAccessKey, sessionToken } = await this.#translate("", () => this.#clients.quick.config.credentials());
    return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
  }

  close(): void {
    this.#clients.close();
  }

  #where(key: string): string {
    return `${this.config.name}, ${this.config.endpoint}, ${this.uri(key)}`;
  }

  #send<T>(key: string, send: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#translate(key, () => withDeadline(this.#where(key), { deadline: deadlines.small, signal }, send));
  }

  async #translate<T>(key: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw toStorageError(error, this.#where(key));
    }
  }
}
