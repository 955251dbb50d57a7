import { startContractServer, type Answer, type Asked, type ContractServer } from "./contract.ts";

export interface ReplayVector {
  readonly id: string;
  readonly values: number[];
  readonly metadata: Record<string, unknown>;
}

/** Answers as Pinecone's description says, for both its planes; no Pinecone is in it. Pages are short. */
export interface PineconeReplay {
  readonly server: ContractServer;
  /** Whether the index is there. */
  exists: boolean;
  readonly namespaces: Map<string, Map<string, ReplayVector>>;
  readonly backups: string[];
  close(): Promise<void>;
}

export const pineconeKey = "the key of the replayed Pinecone";
const contract = new URL("../runner/stores/vectors/contracts/pinecone.json", import.meta.url);
const page = 40;

export async function startPineconeReplay(): Promise<PineconeReplay> {
  const namespaces: PineconeReplay["namespaces"] = new Map();
  const backups: string[] = [];
  const index = (name: string) => ({ name, dimension: 4, metric: "dotproduct", host: "index.example", deletion_protection: "disabled", vector_type: "dense", spec: { serverless: { cloud: "aws", region: "us-east-1", read_capacity: { mode: "OnDemand", status: { state: "Ready" } } } }, status: { ready: true, state: "Ready" } });
  const paged = <T>(all: readonly T[], token: unknown): { readonly some: readonly T[]; readonly pagination?: { readonly next: string } } => {
    const from = Number(token ?? 0);
    return { some: all.slice(from, from + page), ...(from + page < all.length ? { pagination: { next: String(from + page) } } : {}) };
  };
  const answer = ({ json, operation, parameters: [name = ""], query }: Asked): Answer => {
    const body = new Map(Object.entries(typeof json === "object" && json !== null ? json : {}));
    const namespace = String(body.get("namespace") ?? query.get("namespace") ?? "");
    const vectors = namespaces.get(namespace) ?? new Map<string, ReplayVector>();
    const sorted = [...vectors.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    const byId = (some: readonly ReplayVector[]) => Object.fromEntries(some.map((vector) => [vector.id, vector]));
    switch (operation) {
      case "GET /indexes/{index_name}": return replay.exists ? { json: index(name) } : { status: 404, json: { error: { code: "NOT_FOUND", message: "none" }, status: 404 } };
      case "POST /indexes": {
        replay.exists = true;
        return { status: 201, json: index(String(body.get("name"))) };
      }
      case "POST /indexes/{index_name}/backups": {
        backups.push(String(body.get("name")));
        return { status: 201, json: { backup_id: `backup-${backups.length}`, source_index_name: name, source_index_id: "index-1", name: String(body.get("name")), status: "Initializing", cloud: "aws", region: "us-east-1" } };
      }
      case "POST /describe_index_stats": return { json: { dimension: 4, namespaces: Object.fromEntries([...namespaces].filter(([, held]) => held.size > 0).map(([one, held]) => [one, { vectorCount: held.size }])) } };
      case "GET /vectors/list": {
        const { pagination, some } = paged(sorted, query.get("paginationToken") ?? undefined);
        return { json: { namespace, vectors: some.map(({ id }) => ({ id })), ...(pagination === undefined ? {} : { pagination }) } };
      }
      case "GET /vectors/fetch": return { json: { namespace, vectors: byId(query.getAll("ids").flatMap((id) => vectors.get(id) ?? [])) } };
      case "POST /vectors/fetch_by_metadata": {
        const [field, { $gte }] = Object.entries(body.get("filter") as Record<string, { readonly $gte: number }>)[0] ?? ["", { $gte: 0 }];
        const { pagination, some } = paged(sorted.filter(({ metadata }) => Number(metadata[field]) >= $gte), body.get("paginationToken"));
        return { json: { namespace, vectors: byId(some), ...(pagination === undefined ? {} : { pagination }) } };
      }
      case "POST /query": {
        const asked = vectors.get(String(body.get("id")))?.values ?? [];
        const score = ({ values }: ReplayVector) => values.reduce((sum, value, place) => sum + value * (asked[place] ?? 0), 0);
        return { json: { namespace, matches: sorted.map((vector) => ({ id: vector.id, score: score(vector) })).sort((a, b) => b.score - a.score).slice(0, Number(body.get("topK"))) } };
      }
      case "POST /vectors/upsert": {
        for (const vector of body.get("vectors") as ReplayVector[]) vectors.set(vector.id, vector);
        namespaces.set(namespace, vectors);
        return { json: { upsertedCount: 1 } };
      }
      case "POST /vectors/delete": {
        if (body.get("deleteAll") === true) vectors.clear();
        for (const id of (body.get("ids") ?? []) as string[]) vectors.delete(id);
        return { json: {} };
      }
      default: return { status: 404 };
    }
  };
  const server = await startContractServer(contract, { "api-key": pineconeKey, "x-pinecone-api-version": "2026-04" }, answer);
  const replay: PineconeReplay = { server, exists: true, namespaces, backups, close: () => server.close() };
  return replay;
}

/** @param writtenAt seconds since 1970 */
export function putVectors(replay: PineconeReplay, namespace: string, from: number, to: number, writtenAt: number): void {
  const vectors = replay.namespaces.get(namespace) ?? new Map<string, ReplayVector>();
  replay.namespaces.set(namespace, vectors);
  for (let number = from; number < to; number += 1) {
    const id = `agent#${number}`;
    vectors.set(id, { id, values: [Math.sin(number), Math.cos(number), (number % 17) / 17, 1], metadata: { updated_at: writtenAt, text: `memory ${number} at ${writtenAt}` } });
  }
}
