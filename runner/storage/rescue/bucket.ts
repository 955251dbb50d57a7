import type { Readable } from "node:stream";
import { CopyObjectCommand, DeleteObjectsCommand, GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, ListObjectVersionsCommand, NotFound, type ListObjectVersionsCommandOutput } from "@aws-sdk/client-s3";
import type { S3BackendConfig } from "../../config.ts";
import type { ByteRange } from "../backend.ts";
import { StorageError, toStorageError } from "../faults.ts";
import { upload } from "../multipart.ts";
import { partLength } from "../parts.ts";
import { deadlines, openClients, withDeadline, type Clients } from "../s3-client.ts";
import { KeyJudge, writtenAt, type Fate, type StoredVersion } from "./choice.ts";

/** One content on its way, with what belongs to it. */
export interface OpenedVersion {
  readonly body: Readable;
  readonly bytes: number;
  /** Hexadecimal; `undefined` where the store's tag is no MD5 (uploaded in parts, or encrypted by KMS). */
  readonly md5: string | undefined;
  readonly contentType: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface Placed {
  readonly bytes: number;
  readonly md5: string | undefined;
}

/** S3 copies at most that much by one request, in bytes. */
export const mostCopied = 5 * 1024 ** 3;

const unquoted = (etag: string | undefined): string => (etag ?? "").replaceAll('"', "");
/** Of what KMS encrypts, the tag is 32 hexadecimal digits too, and no MD5 (S3's API reference, "ETag"). */
const md5Of = (etag: string | undefined, encryption: string | undefined): string | undefined => (/^[0-9a-f]{32}$/.test(unquoted(etag)) && encryption?.startsWith("aws:kms") !== true ? unquoted(etag) : undefined);

/** A bucket whose older versions are looked at, and one that they are copied to. Keys are relative to its prefix. */
export class VersionedBucket {
  readonly config: S3BackendConfig;
  readonly #clients: Clients;
  #keepsVersions = false;

  private constructor(config: S3BackendConfig, clients: Clients) {
    this.config = config;
    this.#clients = clients;
  }

  /** Reads the credentials and sends nothing. */
  static async open(config: S3BackendConfig): Promise<VersionedBucket> {
    return new VersionedBucket(config, await openClients(config, () => undefined));
  }

  /** Whether a listing has shown any version by an id. R2 keeps none. */
  get keepsVersions(): boolean {
    return this.#keepsVersions;
  }

  uri(key: string): string {
    return `s3://${this.config.bucket}/${this.#full(key)}`;
  }

  /**
   * What became of every key under a prefix since `at`, page by page: one page is in memory, and of a key whose versions
   * go on behind it what was best so far. A store that lists no versions (R2) is judged by what it has today.
   */
  async *fates(prefix: string, at: Date): AsyncGenerator<Fate, void> {
    let open: KeyJudge | undefined;
    for await (const { entries, endsIn } of this.#pages(prefix)) {
      const judges = new Map<string, KeyJudge>(open === undefined ? [] : [[open.key, open]]);
      for (const entry of entries) {
        const judge = judges.get(entry.key) ?? new KeyJudge(entry.key, at);
        judges.set(entry.key, judge);
        judge.look(entry);
      }
      open = endsIn === undefined ? undefined : judges.get(endsIn);
      for (const judge of judges.values()) if (judge !== open) yield judge.fate;
    }
    if (open !== undefined) yield open.fate;
  }

  async get({ key, version }: Pick<StoredVersion, "key" | "version">, { range, signal }: { readonly range?: ByteRange; readonly signal: AbortSignal }): Promise<OpenedVersion> {
    const command = new GetObjectCommand({
      Bucket: this.config.bucket, Key: this.#full(key),
      ...(version === undefined ? {} : { VersionId: version }),
      ...(range === undefined ? {} : { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` }),
    });
    const answer = await this.#send(key, (abortSignal) => this.#clients.quick.send(command, { abortSignal }), signal);
    if (answer.Body === undefined) throw new StorageError("other", "the store answered without a body", this.#where(key));
    return { body: answer.Body as Readable, bytes: answer.ContentLength ?? 0, md5: md5Of(answer.ETag, answer.ServerSideEncryption), contentType: answer.ContentType, metadata: answer.Metadata ?? {} };
  }

  /** `undefined` where it is not there. */
  async head(key: string): Promise<Placed | undefined> {
    const command = new HeadObjectCommand({ Bucket: this.config.bucket, Key: this.#full(key) });
    try {
      const { ContentLength: bytes = 0, ETag, ServerSideEncryption } = await this.#send(key, (signal) => this.#clients.quick.send(command, { abortSignal: signal }));
      return { bytes, md5: md5Of(ETag, ServerSideEncryption) };
    } catch (error) {
      if (error instanceof StorageError && error.cause instanceof NotFound) return undefined;
      throw error;
    }
  }

  /** As a whole or not at all. */
  async put(key: string, source: Readable, { bytes, contentType, metadata, signal }: Pick<OpenedVersion, "bytes" | "contentType" | "metadata"> & { readonly signal: AbortSignal }): Promise<void> {
    const target = { clients: this.#clients, bucket: this.config.bucket, key: this.#full(key), where: this.#where(key), contentType, metadata, signal };
    await this.#translate(key, () => upload(target, source, partLength(bytes)));
  }

  /** By the store itself, from another bucket of the same store. */
  async copyFrom(from: VersionedBucket, { key, version }: StoredVersion, signal: AbortSignal): Promise<void> {
    const path = [from.config.bucket, ...from.#full(key).split("/")].map(encodeURIComponent).join("/");
    const command = new CopyObjectCommand({ Bucket: this.config.bucket, Key: this.#full(key), CopySource: version === undefined ? path : `${path}?versionId=${encodeURIComponent(version)}` });
    await this.#translate(key, () => withDeadline(this.#where(key), { deadline: deadlines.part, signal }, (abortSignal) => this.#clients.patient.send(command, { abortSignal })));
  }

  async remove(key: string): Promise<void> {
    const command = new DeleteObjectsCommand({ Bucket: this.config.bucket, Delete: { Objects: [{ Key: this.#full(key) }], Quiet: true } });
    await this.#send(key, (signal) => this.#clients.quick.send(command, { abortSignal: signal }));
  }

  close(): void {
    this.#clients.close();
  }

  /** `endsIn`: the key whose versions may go on in the next page. */
  async *#pages(prefix: string): AsyncGenerator<{ readonly entries: StoredVersion[]; readonly endsIn: string | undefined }, void> {
    let after: { readonly KeyMarker: string; readonly VersionIdMarker?: string } | undefined;
    do {
      // A marker of versions is only taken together with one of keys.
      const command = new ListObjectVersionsCommand({ Bucket: this.config.bucket, Prefix: this.#full(prefix), EncodingType: "url", ...after });
      const page = await this.#send(prefix, (signal) => this.#clients.quick.send(command, { abortSignal: signal })).catch((error: unknown) => {
        if (after === undefined && listsNoVersions(error)) return undefined;
        throw error;
      });
      if (page === undefined) return yield* this.#present(prefix);
      const keyOf = decoder(page.EncodingType);
      const next = page.IsTruncated === true && page.NextKeyMarker !== undefined ? keyOf(page.NextKeyMarker) : undefined;
      yield { entries: this.#entriesOf(page, keyOf), endsIn: next?.slice(this.#full("").length) };
      after = next === undefined ? undefined : { KeyMarker: next, ...(page.NextVersionIdMarker === undefined || page.NextVersionIdMarker === "" ? {} : { VersionIdMarker: page.NextVersionIdMarker }) };
    } while (after !== undefined);
  }

  #entriesOf(page: ListObjectVersionsCommandOutput, keyOf: (key: string) => string): StoredVersion[] {
    const skip = this.#full("").length;
    const all = [...(page.Versions ?? []).map((entry) => ({ ...entry, isDeletion: false })), ...(page.DeleteMarkers ?? []).map((entry) => ({ ...entry, isDeletion: true, Size: 0, ETag: "" }))];
    return all.flatMap(({ Key, VersionId, LastModified = new Date(0), Size: bytes = 0, ETag, IsLatest: isNewest = false, isDeletion }): StoredVersion[] => {
      if (Key === undefined || Key.endsWith("/")) return []; // a folder's marker is no object
      if (VersionId !== undefined && VersionId !== "null") this.#keepsVersions = true;
      const version = VersionId === "null" && isNewest ? undefined : VersionId;
      return [{ key: keyOf(Key).slice(skip), version, writtenAt: writtenAt(VersionId, LastModified), bytes, etag: unquoted(ETag), isDeletion, isNewest }];
    });
  }

  /** Of a store that lists no versions: what it has today is all there is. */
  async *#present(prefix: string): AsyncGenerator<{ readonly entries: StoredVersion[]; readonly endsIn: undefined }, void> {
    const skip = this.#full("").length;
    let token: string | undefined;
    do {
      const command = new ListObjectsV2Command({ Bucket: this.config.bucket, Prefix: this.#full(prefix), EncodingType: "url", ...(token === undefined ? {} : { ContinuationToken: token }) });
      const page = await this.#send(prefix, (signal) => this.#clients.quick.send(command, { abortSignal: signal }));
      const keyOf = decoder(page.EncodingType);
      const entries = (page.Contents ?? []).flatMap(({ Key, Size: bytes = 0, ETag, LastModified = new Date(0) }): StoredVersion[] =>
        Key === undefined || Key.endsWith("/") ? [] : [{ key: keyOf(Key).slice(skip), version: undefined, writtenAt: LastModified, bytes, etag: unquoted(ETag), isDeletion: false, isNewest: true }]);
      yield { entries, endsIn: undefined };
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  #full(key: string): string {
    return this.config.prefix === "" ? key : `${this.config.prefix}/${key}`;
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

/** XML cannot say every key, so stores encode them where they are asked to. */
const decoder = (encoding: string | undefined) => (key: string): string => (encoding === "url" ? decodeURIComponent(key.replaceAll("+", " ")) : key);

const listsNoVersions = (error: unknown): boolean => error instanceof StorageError && error.cause instanceof Error && error.cause.name === "NotImplemented";
