import type { RunContext } from "../../../context.ts";
import { DrError, messageOf } from "../../../errors.ts";
import { closeNodes, openNodes, type QdrantAddress, type QdrantNode } from "./api.ts";

export interface Member {
  /** Place in the configuration's list: a snapshot goes back to the node of the same place. */
  readonly place: number;
  readonly node: QdrantNode;
  /** Its own id; absent where it stands alone. */
  readonly peer: string | undefined;
}

export interface Cluster {
  /** Those that answer. */
  readonly nodes: readonly Member[];
  readonly first: QdrantNode;
  /** Those that do not, each with the reason. */
  readonly down: readonly string[];
}

/**
 * Opens every node. A list that is not the whole cluster is refused: what only the missing one holds would be missing
 * from the backup, and nothing else would say so. A member that is down is no reason to stop while others have its data.
 */
export async function openCluster(addresses: readonly QdrantAddress[], { report, signal }: Pick<RunContext, "report" | "signal">): Promise<Cluster> {
  const opened = await openNodes(addresses, signal);
  try {
    const asked = await Promise.allSettled(opened.map((node) => node.cluster()));
    signal.throwIfAborted();
    const failures = asked.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
    if (failures.length === opened.length) throw failures[0];
    const nodes = opened.flatMap((node, place): Member[] => {
      const result = asked[place];
      return result?.status === "fulfilled" ? [{ place, node, peer: result.value?.self }] : [];
    });
    const peers = new Set(asked.flatMap((result) => (result.status === "fulfilled" ? (result.value?.peers ?? []) : [])));
    checkMembers(nodes, peers, opened.length, failures.length);
    for (const failure of failures) report({ step: `a node is down: ${messageOf(failure)}` });
    const [member] = nodes;
    if (member === undefined) throw new RangeError("a cluster has a node");
    return { nodes, first: member.node, down: failures.map((failure) => messageOf(failure)) };
  } catch (error) {
    await closeNodes(opened);
    throw error;
  }
}

function checkMembers(nodes: readonly Member[], peers: ReadonlySet<string>, named: number, down: number): void {
  const ids = nodes.map(({ peer }) => peer);
  const where = nodes.map(({ node }) => node.url).join(", ");
  const wrong = (what: string, todo: string) => new DrError({ kind: "usage", what, where, todo });
  if (named > 1 && ids.includes(undefined)) throw wrong("a node that stands alone is named beside others", "Name the nodes of one cluster as `vectors.nodes`.");
  if (new Set(ids).size < ids.length) throw wrong("two of the addresses lead to one node, so another's data would be missing", "Name each node by its own address, not by that of a service in front of them.");
  const missing = [...peers].filter((peer) => !ids.includes(peer));
  if (missing.length > down) throw wrong(`the cluster has ${peers.size} members and ${named} are named: what only ${missing.join(", ")} holds would be missing`, "Name every member as `vectors.nodes`, or take the dead one out of the cluster.");
}

/** Refuses where a part of the collection is on no node that answers: half a collection is no backup of it. */
export async function checkShards({ nodes, down }: Cluster, collection: string): Promise<void> {
  const seen = new Set<number>();
  let count = 0;
  for (const { node } of nodes) {
    const shards = await node.shards(collection);
    count = Math.max(count, shards.count);
    for (const { id, active } of shards.local) if (active) seen.add(id);
  }
  if (seen.size >= count) return;
  const reason = down.length === 0 ? "no replica of the others is active" : `nodes are down: ${down.join("; ")}`;
  throw new DrError({ kind: "unavailable", what: `${count - seen.size} of the ${count} shards of ${collection} can be read nowhere, as ${reason}`, where: collection, todo: "Bring the node back, or the shard's replica up to date; then back up again." });
}
