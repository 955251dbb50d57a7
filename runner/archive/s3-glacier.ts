import type { Readable } from "node:stream";
import { AbortMultipartUploadCommand, GetObjectCommand, HeadObjectCommand, ListMultipartUploadsCommand, ListObjectsV2Command, RestoreObjectCommand } from "@aws-sdk/client-s3";
import { StorageError, toStorageError } from "../storage/faults.ts";
import { upload } from "../storage/multipart.ts";
import { partLength } from "../storage/parts.ts";
import { deadlines, openClients, withDeadline, type Clients } from "../storage/s3-client.ts";
import type { VerificationCheck } from "../verification.ts";
import type { S3ArchiveConfig } from "./config.ts";
import { held, type ArchiveDepot, type Inventory, type ListedArchive, type Retrieval, type StoredArchive } from "./depot.ts";
import type { RetrievalTier, StorageClass } from "./retrieval.ts";

/** Days for which a retrieved copy can be read: a restore that meets a weekend. */
const readableDays = 7;
const tiers = { expedited: "Expedited", standard: "Standard", bulk: "Bulk" } as const;

/** A bucket whose objects lie in a storage class of Glacier. */
export class S3Glacier implements ArchiveDepot {
  readonly name: string;
  readonly storageClass: StorageClass;
  readonly #config: S3ArchiveConfig;
  readonly #clients: Clients;

  private constructor(config: S3ArchiveConfig, clients: Clients) {
    this.name = config.name;
    this.storageClass = config.storageClass;
    this.#config = config;
    this.#clients = clients;
  }

  static async open(config: S3ArchiveConfig): Promise<S3Glacier> {
    const { name, endpoint, region, bucket, prefix, caFile, credentialsFile } = config;
    const place = { kind: "s3", name, endpoint, region, bucket, prefix, ...(caFile === undefined ? {} : { caFile }), ...(credentialsFile === undefined ? {} : { credentialsFile }) } as const;
    return new S3Glacier(config, await openClients(place, () => undefined));
  }

  async store(label: string, source: Readable, { expectedBytes, signal }: { readonly expectedBytes: number; readonly signal: AbortSignal }): Promise<StoredArchive> {
    const { bucket } = this.#config;
    const key = this.#full(`archive/${label}.tar.pgp`);
    const where = `s3://${bucket}/${key}`;
    const { bytes } = await this.#asked(where, () => upload({ clients: this.#clients, bucket, key, where, storageClass: this.storageClass, signal }, source, partLength(expectedBytes)));
    return { uri: where, bytes, reference: { key } };
  }

  async abandon(before: Date): Promise<readonly string[]> {
    const { bucket } = this.#config;
    return this.#asked(`s3://${bucket}`, async () => {
      const { Uploads: uploads = [] } = await this.#clients.quick.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: this.#full("archive/") }));
      const old = uploads.filter(({ Initiated: begun }) => begun !== undefined && begun < before);
      for (const { Key, UploadId } of old) await this.#clients.quick.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }));
      return old.map(({ Key }) => Key ?? "");
    });
  }

  /** S3 itself remembers what was asked for: the object's head says so. */
  async retrieve(reference: Readonly<Record<string, unknown>>, tier: RetrievalTier): Promise<Retrieval> {
    const { bucket } = this.#config;
    const key = keyIn(reference, bucket);
    return this.#asked(`s3://${bucket}/${key}`, async () => {
      const { Restore: restore, StorageClass: storageClass } = await this.#head(key);
      const cold = storageClass === "GLACIER" || storageClass === "DEEP_ARCHIVE";
      if (cold && restore === undefined) {
        await this.#clients.quick.send(new RestoreObjectCommand({ Bucket: bucket, Key: key, RestoreRequest: { Days: readableDays, GlacierJobParameters: { Tier: tiers[tier] } } }));
        return { state: "waiting", job: key, since: new Date() };
      }
      if (cold && restore?.includes('ongoing-request="true"') === true) return { state: "waiting", job: key, since: new Date() };
      const { Body: body } = await this.#clients.patient.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      if (body === undefined) throw new StorageError("other", "the store answered without a body", `s3://${bucket}/${key}`);
      return { state: "ready", body: held(body as Readable) };
    });
  }

  async look(reference: Readonly<Record<string, unknown>>, bytes: number): Promise<VerificationCheck> {
    const { bucket } = this.#config;
    const key = keyIn(reference, bucket);
    const { ContentLength: found } = await this.#asked(`s3://${bucket}/${key}`, () => this.#head(key));
    return { name: "the archive is there and has its size (it is not read: that takes hours)", ok: found === bytes, detail: `${found ?? 0} of ${bytes} bytes` };
  }

  /** S3 lists what is there at once. */
  async inventory(): Promise<Extract<Inventory, { state: "ready" }>> {
    const { bucket } = this.#config;
    return this.#asked(`s3://${bucket}`, async () => {
      const listedAt = new Date();
      const archives: ListedArchive[] = [];
      for (let token: string | undefined, more = true; more; more = token !== undefined) {
        const { Contents: page = [], NextContinuationToken: next } = await this.#clients.quick.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: this.#full("archive/"), ...(token === undefined ? {} : { ContinuationToken: token }) }));
        archives.push(...page.flatMap(({ Key: id, Size: bytes = 0, LastModified: createdAt = listedAt }) => (id === undefined ? [] : [{ id, bytes, createdAt, label: id.split("/").at(-1) ?? id }])));
        token = next;
      }
      return { state: "ready", listedAt, archives };
    });
  }

  idOf({ key }: Readonly<Record<string, unknown>>): string | undefined {
    return typeof key === "string" ? key : undefined;
  }

  close(): void {
    this.#clients.close();
  }

  #head(key: string) {
    return withDeadline(`s3://${this.#config.bucket}/${key}`, { deadline: deadlines.small }, (abortSignal) => this.#clients.quick.send(new HeadObjectCommand({ Bucket: this.#config.bucket, Key: key }), { abortSignal }));
  }

  #full(key: string): string {
    return this.#config.prefix === "" ? key : `${this.#config.prefix}/${key}`;
  }

  async #asked<T>(where: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw toStorageError(error, where);
    }
  }
}

function keyIn({ key }: Readonly<Record<string, unknown>>, bucket: string): string {
  if (typeof key === "string") return key;
  throw new StorageError("missing-object", "the record does not say which object it is", `s3://${bucket}`);
}
