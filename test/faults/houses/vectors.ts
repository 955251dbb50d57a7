import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RunContext } from "../../../runner/context.ts";
import { QdrantNode } from "../../../runner/stores/vectors/qdrant/api.ts";
import { sweepLeftovers } from "../../../runner/stores/vectors/qdrant/attempt.ts";
import { fillReplay, replayKey, startQdrantReplay } from "../../harness/qdrant-replay.ts";
import type { House } from "../job.ts";
import { openHouse, type Site } from "./site.ts";

const collection = "memory";
const points = 300;
/** Milliseconds after which no killed run can be at work any more. */
const muchLater = 3_600_000;

/** Against Qdrant's own description; the server itself is not here. */
export async function vectorsHouse(site: Site): Promise<House> {
  const qdrant = await startQdrantReplay(2);
  const apiKeyFile = join(site.folder, "qdrant.key");
  await writeFile(apiKeyFile, `${replayKey}\n`);
  fillReplay(qdrant, collection, 0, points);
  let next = points;
  const change = (): Promise<void> => {
    fillReplay(qdrant, collection, next, next + 2);
    next += 2;
    return Promise.resolve();
  };
  const onServers = (): string[] => qdrant.nodes.flatMap((_, node) => qdrant.snapshots(node, collection).map((name) => `node ${node} keeps the snapshot ${name}`));
  /** A killed run's snapshot stays while it might be at work; then the next run deletes it. */
  const inTheEnd = async (context: RunContext): Promise<string[]> => {
    const nodes = await Promise.all(qdrant.nodes.map(({ url }) => QdrantNode.open({ url, apiKeyFile }, context.signal)));
    await sweepLeftovers({ ...context, clock: { now: () => new Date(Date.now() + muchLater) } }, nodes, [collection], "the next run");
    for (const node of nodes) await node.close();
    return [...onServers(), ...qdrant.broken()];
  };
  return openHouse(site, {
    name: "vectors", undo: [() => qdrant.close()],
    config: { vectors: { kind: "qdrant", nodes: qdrant.nodes.map(({ url }) => url), apiKeyFile } },
    jobs: (context) => [{ store: "vectors", name: "vectors snapshot", command: ["backup", "vectors", "snapshot"], makes: { store: "vectors", kind: "snapshot" }, change, inTheEnd: () => inTheEnd(context) }],
  });
}
