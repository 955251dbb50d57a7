import type * as pulumi from "@pulumi/pulumi";
import { ports, serverNames, vectorsName } from "../../plan/servers.ts";
import type { Plan } from "../../plan/types.ts";
import { Component, refuse } from "../component.ts";
import { hostIn } from "../topology.ts";
import { serverSet } from "./servers/context.ts";
import { storageProblems, storeProblems } from "./servers/problems.ts";
import { insideCluster, placeHere, standingOf, unexposed } from "./servers/regions.ts";
import { clientHost } from "./servers/services.ts";
import { objectiveOf } from "./servers/size.ts";
import type { RestoredPlace, StoreArgs } from "./store-args.ts";
import { qdrantNodes } from "./vectors/nodes.ts";

export type VectorRole =
  /** Serves. Primary region. */
  | { readonly kind: "primary" }
  /** As many empty nodes, waiting for snapshots. Secondary region. */
  | { readonly kind: "standby" }
  /** Likewise, for a drill or after a loss. Any region. */
  | RestoredVectors;
export interface RestoredVectors extends RestoredPlace {
  readonly kind: "restored";
}

/** Qdrant, run in the cluster. */
export interface QdrantStoreArgs extends StoreArgs {
  readonly kind: "qdrant";
  readonly role: VectorRole;
  /** Default 3. Snapshots are per node (facts F11), so a restored store has as many as were backed up. Never 2: raft
   * would have no majority once either is lost. */
  readonly nodes?: number;
}

/** Pinecone, run by somebody else: nothing is declared in the cluster, and what there is to know is recorded. */
export interface PineconeStoreArgs {
  readonly kind: "pinecone";
  readonly plan: Plan;
  /** The region whose services use it. */
  readonly region: string;
  readonly index: string;
  /** Of the index, without a scheme, e.g. `blackroad-abc123.svc.us-east-1.pinecone.io`. */
  readonly host: string;
}

export type VectorStoreArgs = QdrantStoreArgs | PineconeStoreArgs;

const defaultNodes = 3;

/**
 * The store of embeddings. A collection survives a node only where it was made with a `replication_factor` of 2 or
 * more; that is said when it is made, not here.
 */
export class VectorStore extends Component {
  /** Where clients go. */
  readonly url: string;
  /** Of each node inside the cluster, for per-node snapshots; empty where somebody else runs the store. */
  readonly nodes: readonly string[];

  constructor(name: string, args: VectorStoreArgs, options?: pulumi.ComponentResourceOptions) {
    refuse(`VectorStore ${name}`, args.kind === "qdrant" ? qdrantProblems(args) : pineconeProblems(args));
    super("databases", "VectorStore", name, args, options);
    const { nodes, url } = args.kind === "qdrant" ? qdrant(this, name, args) : { nodes: [], url: `https://${args.host}` };
    this.url = url;
    this.nodes = nodes;
    this.registerOutputs({ kind: args.kind, region: args.region, rpo: objectiveOf(args.plan, "vectors"), url, nodes, ...(args.kind === "qdrant" ? { role: args.role.kind, copies: nodes.length, lifetime: args.lifetime } : { index: args.index, operatedBy: "Pinecone" }) });
  }
}

function qdrant(parent: pulumi.Resource, name: string, args: QdrantStoreArgs): { readonly url: string; readonly nodes: readonly string[] } {
  const { lifetime, nodes: count = defaultNodes, region, role, topology } = args;
  const place = insideCluster(placeHere(topology, region, role)); // no other region speaks to it
  const base = vectorsName(standingOf(role));
  const names = serverNames(base, count);
  const set = serverSet({ parent, prefix: name, base, names, place, topology: unexposed(topology), lifetime, region, application: "qdrant" });
  qdrantNodes(args, set);
  return { url: `https://${clientHost(base, place)}:${ports.vectors.http}`, nodes: names.map((node) => `https://${hostIn(place, node)}:${ports.vectors.http}`) };
}

function qdrantProblems(args: QdrantStoreArgs): readonly string[] {
  const { nodes = defaultNodes } = args;
  return [
    ...storeProblems("vectors", args),
    ...storageProblems(args.storage),
    ...(Number.isInteger(nodes) && nodes >= 1 ? [] : [`nodes: ${nodes} is no number of nodes`]),
    ...(nodes === 2 ? ["nodes: with 2 there is no majority once either is lost; take 1 or 3"] : []),
  ];
}

function pineconeProblems({ host, index, plan, region }: PineconeStoreArgs): readonly string[] {
  return [
    ...(plan.regions.some((one) => one.name === region) ? [] : [`region: ${JSON.stringify(region)} is no region of the plan; it has ${plan.regions.map((one) => one.name).join(", ")}`]),
    ...(plan.stores.some((store) => store.name === "vectors") ? [] : ["plan: it has no store vectors"]),
    ...(/^[a-z0-9][a-z0-9-]{0,44}$/.test(index) ? [] : [`index: ${JSON.stringify(index)} is no name of an index`]),
    ...(/^[a-z0-9.-]+\.[a-z]+$/.test(host) ? [] : [`host: ${JSON.stringify(host)} is no name of a host; leave out the scheme and the path`]),
  ];
}
