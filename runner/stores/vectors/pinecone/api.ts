/** The operations of Pinecone's interface that are used here (2026-04), and nothing more of it. */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { readSecret } from "../../../config.ts";
import { HttpError, openHttpServer, type HttpRequest, type HttpServer } from "../../../system/http.ts";
import type { PineconeConfig } from "../config.ts";

const apiVersion = "2026-04";
/** Ids a page: what Pinecone gives unless told otherwise; and ids a fetch, whose names stand in its URL. */
export const pageSize = 100;
/** Bytes of a URL that every server takes. */
const longestQuery = 6_000;
/** Vectors of one upsert, and ids of one deletion. */
export const batchSize = 1_000;

/** A vector as the interface gives it and takes it; nothing of it is interpreted. */
export const vectorSchema = z.object({
  id: z.string(),
  values: z.array(z.number()).optional(),
  sparseValues: z.object({ indices: z.array(z.number()), values: z.array(z.number()) }).optional(),
  metadata: z.record(z.string(), z.unknown()).optional(),
});
export type Vector = z.infer<typeof vectorSchema>;

const pagination = z.object({ next: z.string().optional() }).optional();
const indexSchema = z.object({
  name: z.string(),
  host: z.string(),
  dimension: z.number().optional(),
  metric: z.string(),
  vector_type: z.string().default("dense"),
  spec: z.json(),
  status: z.object({ ready: z.boolean() }),
});
export type PineconeIndex = z.infer<typeof indexSchema>;
const statsSchema = z.object({ namespaces: z.record(z.string(), z.object({ vectorCount: z.number().default(0) })).default({}) });
const listSchema = z.object({ vectors: z.array(z.object({ id: z.string() })).default([]), pagination });
const fetchSchema = z.object({ vectors: z.record(z.string(), vectorSchema).default({}), pagination });
const querySchema = z.object({ matches: z.array(z.object({ id: z.string(), score: z.number().default(0) })).default([]) });
const backupSchema = z.object({ backup_id: z.string(), status: z.string() });
const anything = z.unknown();

/** Seconds before each further try of what Pinecone was too busy for: it limits the requests of a second. */
const pauses = [0.25, 0.5, 1, 2, 4] as const;
const isBusy = (error: unknown): boolean => error instanceof HttpError && error.status !== undefined && (error.status === 429 || error.status >= 500);

export class Pinecone {
  readonly index: string;
  readonly #data: HttpServer;
  readonly #control: HttpServer;
  readonly #signal: AbortSignal;

  private constructor(index: string, data: HttpServer, control: HttpServer, signal: AbortSignal) {
    this.index = index;
    this.#data = data;
    this.#control = control;
    this.#signal = signal;
  }

  static async open({ index, host, control, apiKeyFile, caFile }: Pick<PineconeConfig, "index" | "host" | "control" | "apiKeyFile" | "caFile">, signal: AbortSignal): Promise<Pinecone> {
    const headers = { "api-key": await readSecret(apiKeyFile, "the key of Pinecone"), "x-pinecone-api-version": apiVersion };
    const name = "Pinecone";
    return new Pinecone(index, await openHttpServer({ name, url: host, caFile, headers }), await openHttpServer({ name, url: control, caFile, headers }), signal);
  }

  /** `undefined` where there is none of this name. */
  async describe(): Promise<PineconeIndex | undefined> {
    try {
      return await this.#ask(this.#control, indexSchema, { path: `/indexes/${this.index}` });
    } catch (error) {
      if (error instanceof HttpError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** @param index as `describe` said it of the one that was backed up */
  async create(index: { readonly dimension: number | null; readonly metric: string; readonly vectorType: string; readonly spec: unknown }): Promise<PineconeIndex> {
    const json = { name: this.index, metric: index.metric, vector_type: index.vectorType, spec: creatable(index.spec), ...(index.dimension === null ? {} : { dimension: index.dimension }) };
    return this.#ask(this.#control, indexSchema, { method: "POST", path: "/indexes", json });
  }

  /** Pinecone's own backup of the whole index, which stays with Pinecone. */
  async createBackup(name: string): Promise<string> {
    return (await this.#ask(this.#control, backupSchema, { method: "POST", path: `/indexes/${this.index}/backups`, json: { name, description: "made by dr beside its export" } })).backup_id;
  }

  /** Vectors by namespace; what was written a moment ago may not be counted yet. */
  async stats(): Promise<Map<string, number>> {
    const { namespaces } = await this.#ask(this.#data, statsSchema, { method: "POST", path: "/describe_index_stats", json: {} });
    return new Map(Object.entries(namespaces).map(([name, { vectorCount }]) => [name, vectorCount]));
  }

  /** The ids of a namespace, page by page. */
  async *list(namespace: string): AsyncGenerator<string[], void> {
    for (let token: string | undefined, more = true; more; more = token !== undefined) {
      const query = new URLSearchParams({ namespace, limit: String(pageSize), ...(token === undefined ? {} : { paginationToken: token }) });
      const page = await this.#ask(this.#data, listSchema, { path: `/vectors/list?${query.toString()}` });
      if (page.vectors.length > 0) yield page.vectors.map(({ id }) => id);
      token = page.pagination?.next;
    }
  }

  /** Those that are still there. */
  async fetch(namespace: string, ids: readonly string[]): Promise<Vector[]> {
    const found: Vector[] = [];
    for (const some of shortQueries(ids)) {
      const query = new URLSearchParams([["namespace", namespace], ...some.map((id): [string, string] => ["ids", id])]);
      const { vectors } = await this.#ask(this.#data, fetchSchema, { path: `/vectors/fetch?${query.toString()}` });
      found.push(...Object.values(vectors));
    }
    return found;
  }

  /** Vectors whose metadata says that they were written at `since` (seconds since 1970) or later, page by page. */
  async *changedSince(namespace: string, field: string, since: number): AsyncGenerator<Vector[], void> {
    for (let token: string | undefined, more = true; more; more = token !== undefined) {
      const json = { namespace, filter: { [field]: { $gte: since } }, limit: pageSize, ...(token === undefined ? {} : { paginationToken: token }) };
      const page = await this.#ask(this.#data, fetchSchema, { method: "POST", path: "/vectors/fetch_by_metadata", json });
      const vectors = Object.values(page.vectors);
      if (vectors.length > 0) yield vectors;
      token = page.pagination?.next;
    }
  }

  async nearest(namespace: string, id: string, topK: number): Promise<[string, number][]> {
    const { matches } = await this.#ask(this.#data, querySchema, { method: "POST", path: "/query", json: { namespace, id, topK, includeValues: false, includeMetadata: false } });
    return matches.map((match) => [match.id, match.score]);
  }

  async upsert(namespace: string, vectors: readonly Vector[]): Promise<void> {
    await this.#ask(this.#data, anything, { method: "POST", path: "/vectors/upsert", json: { namespace, vectors } });
  }

  async delete(namespace: string, ids: readonly string[]): Promise<void> {
    await this.#ask(this.#data, anything, { method: "POST", path: "/vectors/delete", json: { namespace, ids } });
  }

  async deleteAll(namespace: string): Promise<void> {
    await this.#ask(this.#data, anything, { method: "POST", path: "/vectors/delete", json: { namespace, deleteAll: true } });
  }

  async close(): Promise<void> {
    await Promise.all([this.#data.close(), this.#control.close()]);
  }

  async #ask<T>(server: HttpServer, schema: z.ZodType<T>, request: HttpRequest): Promise<T> {
    for (const pause of pauses) {
      try {
        return await server.json(schema, { ...request, signal: this.#signal });
      } catch (error) {
        if (!isBusy(error)) throw error;
        await sleep(pause * 1_000, undefined, { signal: this.#signal });
      }
    }
    return server.json(schema, { ...request, signal: this.#signal });
  }
}

/** What an index is made from is what it says of itself, less how it stands: that is told and never taken. */
function creatable(spec: unknown): unknown {
  if (Array.isArray(spec) || typeof spec !== "object" || spec === null) return spec;
  const told = Object.entries(spec).filter(([name]) => name !== "status");
  return Object.fromEntries(told.map(([name, value]): [string, unknown] => [name, creatable(value)]));
}

/** Ids in pieces whose URLs are short enough. */
function* shortQueries(ids: readonly string[]): Generator<string[], void> {
  let some: string[] = [];
  let length = 0;
  for (const id of ids) {
    const more = encodeURIComponent(id).length + 5;
    if (some.length > 0 && (some.length === pageSize || length + more > longestQuery)) {
      yield some;
      [some, length] = [[], 0];
    }
    some.push(id);
    length += more;
  }
  if (some.length > 0) yield some;
}
