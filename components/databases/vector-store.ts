import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../component.ts";
import type { Plan } from "../../plan/types.ts";
import type { StoreArgs } from "./store-role.ts";

export type VectorRole =
  /** Serves. Primary region. */
  | { readonly kind: "primary" }
  /** As many empty nodes, waiting for snapshots. Secondary region. */
  | { readonly kind: "standby" }
  /** Likewise, for a drill or after a loss. Any region. */
  | {
      readonly kind: "restored";
      /** Default: the region's in the topology. A drill's is its own. */
      readonly namespace?: string;
    };

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
  /** Of the index, without a scheme. */
  readonly host: string;
}

export type VectorStoreArgs = QdrantStoreArgs | PineconeStoreArgs;

/** The store of embeddings. */
export class VectorStore extends Component {
  /** Where clients go. */
  readonly url: string;
  /** Of each node, for per-node snapshots; empty where somebody else runs the store. */
  readonly nodes: readonly string[];

  constructor(name: string, args: VectorStoreArgs, options?: pulumi.ComponentResourceOptions) {
    super("databases", "VectorStore", name, args, options);
    this.url = "";
    this.nodes = [];
    this.registerOutputs({ kind: args.kind, region: args.region });
  }
}
