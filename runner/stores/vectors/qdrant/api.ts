/** The operations of Qdrant's REST interface that are used here, and nothing more of it. */
import type { Readable } from "node:stream";
import { z } from "zod";
import { readSecret } from "../../../config.ts";
import { HttpError, openHttpServer, type HttpServer } from "../../../system/http.ts";

const pointId = z.union([z.number(), z.string()]);
export type PointId = z.infer<typeof pointId>;

const versionSchema = z.object({ title: z.string(), version: z.string() });
const answer = <T extends z.ZodType>(result: T) => z.object({ result });
const clusterSchema = answer(z.union([
  z.object({ status: z.literal("disabled") }),
  z.object({ status: z.literal("enabled"), peer_id: z.number(), peers: z.record(z.string(), z.object({ uri: z.string() })) }),
]));
const collectionsSchema = answer(z.object({ collections: z.array(z.object({ name: z.string() })) }));
const aliasesSchema = answer(z.object({ aliases: z.array(z.object({ alias_name: z.string(), collection_name: z.string() })) }));
const namedVectors = z.record(z.string(), z.unknown());
const collectionSchema = answer(z.object({
  status: z.string(),
  config: z.object({ params: z.looseObject({ vectors: namedVectors.optional(), sparse_vectors: namedVectors.nullish() }) }),
}));
const shardsSchema = answer(z.object({
  peer_id: z.number(),
  shard_count: z.number(),
  local_shards: z.array(z.object({ shard_id: z.number(), state: z.string() })),
}));
const countSchema = answer(z.object({ count: z.number() }));
const recordSchema = z.object({ id: pointId, payload: z.unknown(), vector: z.unknown() });
const scrollSchema = answer(z.object({ points: z.array(recordSchema), next_page_offset: pointId.nullish() }));
const retrieveSchema = answer(z.array(recordSchema));
const querySchema = answer(z.object({ points: z.array(z.object({ id: pointId, score: z.number() })) }));
const snapshotSchema = z.object({ name: z.string(), creation_time: z.string().nullish(), size: z.number(), checksum: z.string().nullish() });
const doneSchema = answer(z.unknown());

export type QdrantPoint = z.infer<typeof recordSchema>;
export type QdrantHit = z.infer<typeof querySchema>["result"]["points"][number];
export type QdrantSnapshot = z.infer<typeof snapshotSchema>;
export interface LocalShard { readonly id: number; readonly active: boolean }
export interface Alias { readonly alias: string; readonly collection: string }

/** Names are the operator's, and may hold what a path may not. */
const at = (collection: string, rest = ""): string => `/collections/${encodeURIComponent(collection)}${rest}`;
/** Seconds for a snapshot to be made, which copies every file of the collection on the node. */
const making = 1_800;

export interface QdrantAddress {
  readonly url: string;
  readonly caFile?: string | undefined;
  readonly apiKeyFile?: string | undefined;
}

/** One node. What is asked of the collections' content is answered for the whole cluster, what snapshots hold is its own. */
export class QdrantNode {
  readonly url: string;
  readonly #http: HttpServer;
  readonly #signal: AbortSignal;

  private constructor(http: HttpServer, signal: AbortSignal) {
    this.url = http.url;
    this.#http = http;
    this.#signal = signal;
  }

  static async open({ url, caFile, apiKeyFile }: QdrantAddress, signal: AbortSignal): Promise<QdrantNode> {
    const key = apiKeyFile === undefined ? undefined : await readSecret(apiKeyFile, "the key of Qdrant");
    return new QdrantNode(await openHttpServer({ name: "Qdrant", url, caFile, ...(key === undefined ? {} : { headers: { "api-key": key } }) }), signal);
  }

  async version(): Promise<string> {
    return (await this.#json(versionSchema, "GET", "/")).version;
  }

  /** The node's own id in its cluster and every member's; nothing where it stands alone. */
  async cluster(): Promise<{ readonly self: string; readonly peers: readonly string[] } | undefined> {
    const { result } = await this.#json(clusterSchema, "GET", "/cluster");
    return result.status === "disabled" ? undefined : { self: String(result.peer_id), peers: Object.keys(result.peers) };
  }

  async collections(): Promise<string[]> {
    const { result } = await this.#json(collectionsSchema, "GET", "/collections");
    return result.collections.map(({ name }) => name).sort();
  }

  async aliases(): Promise<Alias[]> {
    const { result } = await this.#json(aliasesSchema, "GET", "/aliases");
    return result.aliases.map(({ alias_name, collection_name }) => ({ alias: alias_name, collection: collection_name }));
  }

  /** The names of its vectors; the one without a name is `undefined`. */
  async vectorNames(collection: string): Promise<(string | undefined)[]> {
    const { result } = await this.#json(collectionSchema, "GET", at(collection));
    const { vectors = {}, sparse_vectors } = result.config.params;
    const unnamed = typeof vectors["size"] === "number";
    return [...(unnamed ? [undefined] : Object.keys(vectors)), ...Object.keys(sparse_vectors ?? {})];
  }

  async shards(collection: string): Promise<{ readonly count: number; readonly local: LocalShard[] }> {
    const { result } = await this.#json(shardsSchema, "GET", at(collection, "/cluster"));
    return { count: result.shard_count, local: result.local_shards.map(({ shard_id, state }) => ({ id: shard_id, active: state === "Active" })) };
  }

  async count(collection: string): Promise<number> {
    return (await this.#json(countSchema, "POST", at(collection, "/points/count"), { exact: true })).result.count;
  }

  /** The first `limit` points by their ids, from `offset` on. */
  async scroll(collection: string, limit: number, offset?: PointId): Promise<QdrantPoint[]> {
    const asked = { limit, with_payload: true, with_vector: true, ...(offset === undefined ? {} : { offset }) };
    return (await this.#json(scrollSchema, "POST", at(collection, "/points/scroll"), asked)).result.points;
  }

  async points(collection: string, ids: readonly PointId[]): Promise<QdrantPoint[]> {
    return (await this.#json(retrieveSchema, "POST", at(collection, "/points"), { ids, with_payload: true, with_vector: true })).result;
  }

  /** The nearest to a point, compared with every vector: what an index would guess differs from server to server. */
  async nearest(collection: string, id: PointId, limit: number, using?: string): Promise<QdrantHit[]> {
    const asked = { query: id, limit, params: { exact: true }, ...(using === undefined ? {} : { using }) };
    return (await this.#json(querySchema, "POST", at(collection, "/points/query"), asked)).result.points;
  }

  async snapshots(collection: string): Promise<QdrantSnapshot[]> {
    return (await this.#json(answer(z.array(snapshotSchema)), "GET", at(collection, "/snapshots"))).result;
  }

  async createSnapshot(collection: string): Promise<QdrantSnapshot> {
    return (await this.#json(answer(snapshotSchema), "POST", at(collection, "/snapshots?wait=true"), undefined, making)).result;
  }

  /** One that is gone already is as good as deleted. */
  async deleteSnapshot(collection: string, name: string): Promise<void> {
    await this.#http.text({ method: "DELETE", path: at(collection, `/snapshots/${encodeURIComponent(name)}?wait=true`), accept: [404], signal: this.#signal });
  }

  async downloadSnapshot(collection: string, name: string): Promise<Readable> {
    return (await this.#http.stream({ path: at(collection, `/snapshots/${encodeURIComponent(name)}`), signal: this.#signal })).body;
  }

  /**
   * Makes this node's part of the collection equal to a snapshot; a collection that is not there is made. `source` is
   * multipart form data of `bytes`. @param deadline in seconds
   */
  async uploadSnapshot(collection: string, upload: { readonly body: Readable; readonly bytes: number; readonly contentType: string; readonly sha256: string; readonly deadline: number }): Promise<void> {
    const { body, bytes, contentType, sha256, deadline } = upload;
    const path = at(collection, `/snapshots/upload?wait=true&priority=snapshot&checksum=${sha256}`);
    await this.#http.text({ method: "POST", path, body, headers: { "content-type": contentType, "content-length": String(bytes) }, deadline, signal: this.#signal });
  }

  async setAliases(aliases: readonly Alias[]): Promise<void> {
    if (aliases.length === 0) return;
    const actions = aliases.map(({ alias, collection }) => ({ create_alias: { alias_name: alias, collection_name: collection } }));
    await this.#json(doneSchema, "POST", "/collections/aliases", { actions });
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  #json<T>(schema: z.ZodType<T>, method: "GET" | "POST", path: string, json?: unknown, deadline?: number): Promise<T> {
    return this.#http.json(schema, { method, path, signal: this.#signal, ...(json === undefined ? {} : { json }), ...(deadline === undefined ? {} : { deadline }) });
  }
}

/** What a node said of a collection that is not there any more. */
export const isMissing = (error: unknown): boolean => error instanceof HttpError && error.status === 404;

/** Opens every node; those that were open already are closed again where one cannot be. */
export async function openNodes(addresses: readonly QdrantAddress[], signal: AbortSignal): Promise<QdrantNode[]> {
  const opened = await Promise.allSettled(addresses.map((address) => QdrantNode.open(address, signal)));
  const nodes = opened.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const failure = opened.find((result) => result.status === "rejected");
  if (failure === undefined) return nodes;
  await closeNodes(nodes);
  throw failure.reason;
}

export async function closeNodes(nodes: readonly QdrantNode[]): Promise<void> {
  await Promise.all(nodes.map((node) => node.close()));
}
