import { readFile } from "node:fs/promises";
import { Agent } from "node:https";
import type { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand, CompleteMultipartUploadCommand, DescribeJobCommand, DescribeVaultCommand, GetJobOutputCommand, GlacierClient, InitiateJobCommand,
  InitiateMultipartUploadCommand, ListMultipartUploadsCommand, UploadArchiveCommand, UploadMultipartPartCommand, type UploadListElement,
} from "@aws-sdk/client-glacier";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { messageOf } from "../errors.ts";
import { readCredentials } from "../storage/credentials.ts";
import { StorageError, toStorageError } from "../storage/faults.ts";
import { cut } from "../storage/parts.ts";
import type { VerificationCheck } from "../verification.ts";
import type { GlacierVaultConfig } from "./config.ts";
import { held, type ArchiveDepot, type Inventory, type Retrieval, type StoredArchive } from "./depot.ts";
import { inventoryOf, mark } from "./glacier-inventory.ts";
import type { RetrievalTier } from "./retrieval.ts";
import { combine, treeHash } from "./tree-hash.ts";

/** Glacier's limits (API reference, "Quick facts" of multipart uploads): 10,000 parts of a power of two of MiB, up to 4 GiB. */
const mostParts = 10_000;
const mebibyte = 1024 ** 2;
const largestPart = 4_096 * mebibyte;
/** Two parts are in memory at once. */
const leastPart = 16 * mebibyte;
/** Seconds of silence on a connection, after which a request is sent again. */
const silence = 120;
const tiers: Readonly<Record<RetrievalTier, string>> = { expedited: "Expedited", standard: "Standard", bulk: "Bulk" };

/** The smallest part with which so many bytes fit, a power of two of MiB; @throws StorageError where none does */
export function glacierPart(expectedBytes: number, least = leastPart): number {
  for (let part = least; part <= largestPart; part *= 2) if (part * mostParts >= expectedBytes) return part;
  throw new StorageError("other", `${expectedBytes} bytes are more than an archive of Glacier holds`, "archive");
}

/** A vault of the Glacier service. An archive in it has no name but the id that Glacier gives it, which the record keeps. */
export class GlacierVault implements ArchiveDepot {
  readonly name: string;
  readonly storageClass = "GLACIER";
  readonly #client: GlacierClient;
  readonly #agent: Agent;
  readonly #vault: { readonly accountId: string; readonly vaultName: string };
  readonly #where: string;
  readonly #leastPart: number;

  private constructor(config: GlacierVaultConfig, client: GlacierClient, agent: Agent, part: number) {
    this.name = config.name;
    this.#client = client;
    this.#agent = agent;
    this.#vault = { accountId: config.accountId, vaultName: config.vault };
    this.#where = `glacier://${config.region}/${config.vault}`;
    this.#leastPart = part;
  }

  /** `part`: the least length of a part in bytes, for tests. */
  static async open(config: GlacierVaultConfig, part = leastPart): Promise<GlacierVault> {
    const credentials = config.credentialsFile === undefined ? undefined : await readCredentials(config.credentialsFile);
    const ca = config.caFile === undefined ? undefined : await readFile(config.caFile);
    const agent = new Agent({ keepAlive: true, ...(ca === undefined ? {} : { ca }) });
    const client = new GlacierClient({
      region: config.region,
      maxAttempts: 3,
      ...(config.endpoint === undefined ? {} : { endpoint: config.endpoint }),
      ...(credentials === undefined ? {} : { credentials }),
      requestHandler: new NodeHttpHandler({ connectionTimeout: 5_000, socketTimeout: silence * 1_000, httpsAgent: agent }),
    });
    return new GlacierVault(config, client, agent, part);
  }

  async store(label: string, source: Readable, { expectedBytes, signal }: { readonly expectedBytes: number; readonly signal: AbortSignal }): Promise<StoredArchive> {
    const length = glacierPart(expectedBytes, this.#leastPart);
    const stop = (): void => void source.destroy(signal.reason instanceof Error ? signal.reason : undefined);
    signal.addEventListener("abort", stop, { once: true });
    try {
      return await this.#asked(async () => {
        const parts = cut(source, length, 2, this.#where);
        const first = await parts.next();
        if (first.done === true) throw new TypeError("a stream has at least one part, be it empty");
        const { data, last } = first.value;
        if (last) return this.#stored(await this.#client.send(new UploadArchiveCommand({ ...this.#vault, archiveDescription: mark + label, body: data, checksum: treeHash(data).toString("hex") }), { abortSignal: signal }), data.length, treeHash(data));
        return this.#inParts(label, length, first.value, parts, signal);
      });
    } finally {
      signal.removeEventListener("abort", stop);
      source.destroy();
    }
  }

  async #inParts(label: string, length: number, first: Part, parts: AsyncGenerator<Part, undefined>, signal: AbortSignal): Promise<StoredArchive> {
    const { uploadId } = await this.#client.send(new InitiateMultipartUploadCommand({ ...this.#vault, archiveDescription: mark + label, partSize: String(length) }), { abortSignal: signal });
    if (uploadId === undefined) throw new StorageError("other", "Glacier gave the upload no id", this.#where);
    try {
      const hashes: Buffer[] = [];
      let bytes = 0;
      for (let part: Part | undefined = first; part !== undefined; part = (await parts.next()).value) {
        const hash = treeHash(part.data);
        await this.#client.send(new UploadMultipartPartCommand({ ...this.#vault, uploadId, range: `bytes ${bytes}-${bytes + part.data.length - 1}/*`, body: part.data, checksum: hash.toString("hex") }), { abortSignal: signal });
        hashes.push(hash);
        bytes += part.data.length;
        part.release();
      }
      // Parts are powers of two of the leaves, so the hash of their hashes is that of the whole.
      const whole = combine(hashes);
      return this.#stored(await this.#client.send(new CompleteMultipartUploadCommand({ ...this.#vault, uploadId, archiveSize: String(bytes), checksum: whole.toString("hex") }), { abortSignal: signal }), bytes, whole);
    } catch (error) {
      await this.#client.send(new AbortMultipartUploadCommand({ ...this.#vault, uploadId })).catch((unstopped: unknown) => {
        if (error instanceof Error && error.cause === undefined) error.cause = new Error(`the unfinished upload could not be withdrawn: ${messageOf(unstopped)}`);
      });
      throw error;
    }
  }

  #stored({ archiveId, checksum }: { readonly archiveId?: string | undefined; readonly checksum?: string | undefined }, bytes: number, hash: Buffer): StoredArchive {
    const expected = hash.toString("hex");
    if (archiveId === undefined || archiveId === "") throw new StorageError("other", "Glacier gave the archive no id", this.#where);
    if (checksum !== expected) throw new StorageError("other", `Glacier has the tree hash ${checksum ?? "none"}, ${expected} was sent`, this.#where);
    return { uri: `${this.#where}/${archiveId}`, bytes, reference: { archiveId, treeHash: expected } };
  }

  async abandon(before: Date): Promise<readonly string[]> {
    return this.#asked(async () => {
      const gone: string[] = [];
      let marker: string | undefined;
      do {
        const { UploadsList: uploads = [], Marker: next } = await this.#client.send(new ListMultipartUploadsCommand({ ...this.#vault, ...(marker === undefined ? {} : { marker }) }));
        for (const { MultipartUploadId: uploadId, ArchiveDescription: description } of uploads.filter((upload) => isOld(upload, before))) {
          await this.#client.send(new AbortMultipartUploadCommand({ ...this.#vault, uploadId }));
          gone.push(description ?? uploadId ?? "");
        }
        marker = next;
      } while (marker !== undefined && marker !== "");
      return gone;
    });
  }

  async retrieve(reference: Readonly<Record<string, unknown>>, tier: RetrievalTier, job: string | undefined): Promise<Retrieval> {
    return this.#asked(async () => {
      const { archiveId } = reference;
      if (typeof archiveId !== "string") throw new StorageError("missing-object", "the record does not say which archive it is", this.#where);
      const known = job === undefined ? undefined : await this.#jobOf(job);
      if (known === undefined || known.StatusCode === "Failed") {
        const { jobId } = await this.#client.send(new InitiateJobCommand({ ...this.#vault, jobParameters: { Type: "archive-retrieval", ArchiveId: archiveId, Tier: tiers[tier], Description: mark.trim() } }));
        if (jobId === undefined) throw new StorageError("other", "Glacier gave the retrieval no id", this.#where);
        return { state: "waiting", job: jobId, since: new Date() };
      }
      if (job === undefined || known.Completed !== true) return { state: "waiting", job: job ?? "", since: new Date(known.CreationDate ?? Date.now()) };
      const { body } = await this.#client.send(new GetJobOutputCommand({ ...this.#vault, jobId: job }));
      if (body === undefined) throw new StorageError("other", "Glacier answered without a body", this.#where);
      return { state: "ready", body: held(body as Readable) };
    });
  }

  /** A job that is over for more than a day is forgotten by Glacier. */
  async #jobOf(jobId: string) {
    return this.#client.send(new DescribeJobCommand({ ...this.#vault, jobId })).catch((error: unknown) => {
      if (error instanceof Error && error.name === "ResourceNotFoundException") return undefined;
      throw error;
    });
  }

  /** Glacier lists its archives once a day only; what it says of the vault at once is that it is there. */
  async look(): Promise<VerificationCheck> {
    const { NumberOfArchives: count, LastInventoryDate: listed } = await this.#asked(() => this.#client.send(new DescribeVaultCommand(this.#vault)));
    return { name: "the vault is there (the archive itself is neither listed nor read: that takes hours)", ok: true, detail: listed === undefined ? "it has not been listed yet" : `${count ?? 0} archives when it was last listed, ${listed}` };
  }

  inventory(anew: boolean): Promise<Inventory> {
    return this.#asked(() => inventoryOf(this.#client, this.#vault, this.#where, anew));
  }

  idOf({ archiveId }: Readonly<Record<string, unknown>>): string | undefined {
    return typeof archiveId === "string" ? archiveId : undefined;
  }

  close(): void {
    this.#client.destroy();
    this.#agent.destroy();
  }

  async #asked<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw toStorageError(error, this.#where);
    }
  }
}

type Part = NonNullable<Awaited<ReturnType<ReturnType<typeof cut>["next"]>>["value"]>;

const isOld = ({ ArchiveDescription: description = "", CreationDate: created = "" }: UploadListElement, before: Date): boolean => description.startsWith(mark) && Date.parse(created) < before.getTime();
