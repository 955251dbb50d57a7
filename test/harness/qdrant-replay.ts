import { createHash } from "node:crypto";
import { startContractServer, type Answer, type Asked, type ContractServer } from "./contract.ts";

export interface ReplayPoint {
  readonly id: number | string;
  readonly vector: number[];
  readonly payload: Record<string, unknown>;
}
interface Snapshot { readonly name: string; readonly creation_time: string; readonly bytes: Buffer }

/**
 * Answers as Qdrant's description says, for the nodes of one cluster; no Qdrant is in it. A node's snapshot holds its
 * shard, a few kilobytes a point, and an upload of it restores them.
 */
export interface QdrantReplay {
  readonly nodes: readonly ContractServer[];
  readonly collections: Map<string, Map<number | string, ReplayPoint>>;
  readonly aliases: Map<string, string>;
  /** Snapshots on a node, by collection. */
  snapshots(node: number, collection: string): string[];
  /** Puts one there that we did not make. */
  addSnapshot(node: number, collection: string, name: string, createdAt: Date): void;
  /** Called when a snapshot has been made. */
  onSnapshot: (collection: string) => void;
  broken(): string[];
  close(): Promise<void>;
}

export const replayKey = "the key of the replayed Qdrant";
const contract = new URL("../runner/stores/vectors/contracts/qdrant.json", import.meta.url);
const fillerBytes = 6_000;

const filler = (seed: string): Buffer => {
  const parts = Array.from({ length: Math.ceil(fillerBytes / 64) }, (_, part) => createHash("sha512").update(`${seed} ${part}`).digest());
  return Buffer.concat(parts);
};
const lines = new Map<string, Buffer>();
const lineOf = (point: ReplayPoint): Buffer => {
  const text = JSON.stringify(point);
  const line = lines.get(text) ?? Buffer.concat([Buffer.from(`${text}\n`), filler(text), Buffer.from("\n\n\n\n")]);
  lines.set(text, line);
  return line;
};
const fillerLength = Math.ceil(fillerBytes / 64) * 64;
const shardOf = (id: number | string, shards: number): number => createHash("sha256").update(String(id)).digest().readUInt32LE(0) % shards;

export async function startQdrantReplay(count = 1): Promise<QdrantReplay> {
  const collections: QdrantReplay["collections"] = new Map();
  const aliases = new Map<string, string>();
  const kept = Array.from({ length: count }, () => new Map<string, Snapshot[]>());
  let made = 0;
  const ok = (result: unknown): Answer => ({ json: { time: 0.001, status: "ok", result } });
  const missing: Answer = { status: 404, json: { status: { error: "Not found" }, time: 0 } };
  const here = (node: number, collection: string) => kept[node]?.get(collection) ?? [];
  const describe = ({ bytes, creation_time, name }: Snapshot) => ({ name, creation_time, size: bytes.length, checksum: createHash("sha256").update(bytes).digest("hex") });
  const sorted = (points: Map<number | string, ReplayPoint>) => [...points.values()].sort((a, b) => (String(a.id) < String(b.id) ? -1 : 1));

  const answerFor = (node: number) => ({ bytes, json, operation, parameters: [collection = "", snapshot = ""], query }: Asked): Answer => {
    const points = collections.get(collection);
    const field = (name: string): unknown => (typeof json === "object" && json !== null ? Object.entries(json).find(([key]) => key === name)?.[1] : undefined);
    switch (operation) {
      case "GET /": return { json: { title: "qdrant - vector search engine", version: "1.19.0" } };
      case "GET /cluster": return count === 1 ? ok({ status: "disabled" }) : ok({ status: "enabled", peer_id: 100 + node, peers: Object.fromEntries(kept.map((_, place) => [String(100 + place), { uri: `http://node-${place}:6335/` }])), raft_info: {}, consensus_thread_status: {}, message_send_failures: {} });
      case "GET /collections": return ok({ collections: [...collections.keys()].map((name) => ({ name })) });
      case "GET /aliases": return ok({ aliases: [...aliases].map(([alias_name, collection_name]) => ({ alias_name, collection_name })) });
      case "POST /collections/aliases": {
        for (const { create_alias: { alias_name, collection_name } } of field("actions") as { create_alias: { alias_name: string; collection_name: string } }[]) aliases.set(alias_name, collection_name);
        return ok(true);
      }
      case "POST /collections/{collection_name}/snapshots/upload": return upload(collection, bytes, query.get("checksum"));
    }
    if (points === undefined) return missing;
    switch (operation) {
      case "GET /collections/{collection_name}": return ok({ status: "green", optimizer_status: "ok", segments_count: 1, config: { params: { vectors: { size: 4, distance: "Dot" } }, hnsw_config: {}, optimizer_config: {} }, payload_schema: {} });
      case "GET /collections/{collection_name}/cluster": return ok({ peer_id: 100 + node, shard_count: count, local_shards: [{ shard_id: node, points_count: points.size, state: "Active" }], remote_shards: [], shard_transfers: [] });
      case "POST /collections/{collection_name}/points/count": return ok({ count: points.size });
      case "POST /collections/{collection_name}/points/scroll": return ok({ points: sorted(points).slice(0, Number(field("limit"))), next_page_offset: null });
      case "POST /collections/{collection_name}/points": return ok((field("ids") as (number | string)[]).flatMap((id) => points.get(id) ?? []));
      case "POST /collections/{collection_name}/points/query": return ok({ points: nearest(points, field("query") as number | string, Number(field("limit"))) });
      case "GET /collections/{collection_name}/snapshots": return ok(here(node, collection).map(describe));
      case "POST /collections/{collection_name}/snapshots": {
        const own = sorted(points).filter(({ id }) => shardOf(id, count) === node);
        made += 1;
        const one = { name: `${collection}-${100 + node}-${made}.snapshot`, creation_time: new Date().toISOString().slice(0, 19), bytes: Buffer.concat([Buffer.from(`node ${node}\n`), ...own.map(lineOf)]) };
        kept[node]?.set(collection, [...here(node, collection), one]);
        const answered = ok(describe(one));
        replay.onSnapshot(collection);
        return answered;
      }
      case "GET /collections/{collection_name}/snapshots/{snapshot_name}": {
        const found = here(node, collection).find(({ name }) => name === snapshot);
        return found === undefined ? missing : { bytes: found.bytes };
      }
      case "DELETE /collections/{collection_name}/snapshots/{snapshot_name}": {
        kept[node]?.set(collection, here(node, collection).filter(({ name }) => name !== snapshot));
        return ok(true);
      }
      default: return missing;
    }
  };

  const upload = (collection: string, body: Buffer, checksum: string | null): Answer => {
    const from = body.indexOf("\r\n\r\n") + 4;
    const to = body.lastIndexOf("\r\n--");
    const file = body.subarray(from, to);
    if (createHash("sha256").update(file).digest("hex") !== checksum) return { status: 400, json: { status: { error: "Snapshot checksum mismatch" } } };
    const points = collections.get(collection) ?? new Map<number | string, ReplayPoint>();
    const shard = Number(/^node (\d+)\n/.exec(file.subarray(0, 20).toString())?.[1]);
    for (const { id } of points.values()) if (shardOf(id, count) === shard) points.delete(id);
    for (let at = file.indexOf("\n") + 1; at < file.length; ) {
      const end = file.indexOf("\n", at);
      const point = JSON.parse(file.subarray(at, end).toString()) as ReplayPoint;
      points.set(point.id, point);
      at = end + 1 + fillerLength + 4;
    }
    collections.set(collection, points);
    return ok(true);
  };

  const nodes = await Promise.all(kept.map((_, node) => startContractServer(contract, { "api-key": replayKey }, answerFor(node))));
  const replay: QdrantReplay = {
    nodes, collections, aliases,
    snapshots: (node, collection) => here(node, collection).map(({ name }) => name),
    addSnapshot: (node, collection, name, createdAt) => void kept[node]?.set(collection, [...here(node, collection), { name, creation_time: createdAt.toISOString().slice(0, 19), bytes: Buffer.from("somebody's") }]),
    onSnapshot: () => undefined,
    broken: () => nodes.flatMap(({ broken }) => broken),
    close: () => Promise.all(nodes.map((node) => node.close())).then(() => undefined),
  };
  return replay;
}

function nearest(points: Map<number | string, ReplayPoint>, id: number | string, limit: number): { id: number | string; score: number; version: number }[] {
  const query = points.get(id)?.vector ?? [];
  const score = ({ vector }: ReplayPoint) => vector.reduce((sum, value, place) => sum + value * (query[place] ?? 0), 0);
  return [...points.values()].filter((point) => point.id !== id).map((point) => ({ id: point.id, score: score(point), version: 0 })).sort((a, b) => b.score - a.score).slice(0, limit);
}

/** Points whose vectors and payloads follow from their numbers. */
export function fillReplay(replay: QdrantReplay, collection: string, from: number, to: number): void {
  const points = replay.collections.get(collection) ?? new Map<number | string, ReplayPoint>();
  replay.collections.set(collection, points);
  for (let id = from; id < to; id += 1) points.set(id, { id, vector: [Math.sin(id), Math.cos(id), (id % 17) / 17, 1], payload: { agent: id % 30, text: `memory ${id}` } });
}
