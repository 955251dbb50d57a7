import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../component.ts";
import type { StoreArgs } from "./store-role.ts";

export type VaultRole =
  /** Three servers on three nodes. Primary region. */
  | { readonly kind: "primary" }
  /** The same, not initialised, waiting for a snapshot to be restored into it. Secondary region. */
  | { readonly kind: "standby" }
  /** One server, waiting likewise. Any region. */
  | {
      readonly kind: "restored";
      /** Default: the region's in the topology. A drill's is its own. */
      readonly namespace?: string;
    };

/** Whose server the image holds. */
export type VaultFlavour =
  | {
      readonly kind: "openbao";
      /** From OpenBao 2.7 on the KMS seal is a plugin of its own, which the image must hold. */
      readonly sealPlugin?: SealPlugin;
    }
  | { readonly kind: "vault" };

export interface SealPlugin {
  /** The folder that it is in. */
  readonly directory: string;
  /** Its file's name in there, e.g. `openbao-plugin-kms-aws`. */
  readonly command: string;
  /** SHA-256 of the file, in hexadecimal: another file is not started. */
  readonly sha256: string;
}

export interface VaultClusterArgs extends StoreArgs {
  readonly role: VaultRole;
  /** Default: OpenBao. */
  readonly flavour?: VaultFlavour;
  /** IAM role that the servers assume by their service account; it may encrypt, decrypt and describe the seal key's
   * replica in this region, nothing else. */
  readonly sealRoleArn: pulumi.Input<string>;
}

/** OpenBao or Vault on raft storage, sealed by the replica of the multi-region key in the region where it runs. */
export class VaultCluster extends Component {
  /** `https://HOST:PORT` of whichever server answers in this region. */
  readonly address: string;
  /** `https://HOST:PORT` of each server. */
  readonly servers: readonly string[];

  constructor(name: string, args: VaultClusterArgs, options?: pulumi.ComponentResourceOptions) {
    super("databases", "VaultCluster", name, args, options);
    this.address = "";
    this.servers = [];
    this.registerOutputs({ role: args.role.kind, region: args.region });
  }
}
