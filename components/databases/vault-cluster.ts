import type * as pulumi from "@pulumi/pulumi";
import { baoProblems, type VaultFlavour } from "../../plan/config/bao.ts";
import { keyAlias, vaultSealKey } from "../../plan/names.ts";
import { ports, serverNames, vaultName } from "../../plan/servers.ts";
import { Component, refuse } from "../component.ts";
import { hostIn } from "../topology.ts";
import { serverSet } from "./servers/context.ts";
import { networkProblems, storageProblems, storeProblems } from "./servers/problems.ts";
import { insideCluster, placeHere, standingOf, unexposed } from "./servers/regions.ts";
import { clientHost } from "./servers/services.ts";
import { objectiveOf } from "./servers/size.ts";
import type { RestoredPlace, StoreArgs } from "./store-args.ts";
import { vaultServers } from "./vault/servers.ts";

export type { SealPlugin, VaultFlavour } from "../../plan/config/bao.ts";

export type VaultRole =
  /** Three servers on three nodes. Primary region. */
  | { readonly kind: "primary" }
  /** The same, not initialised, waiting for a snapshot to be restored into it. Secondary region. */
  | { readonly kind: "standby" }
  /** One server, waiting likewise. Any region. */
  | RestoredVault;
export interface RestoredVault extends RestoredPlace {
  readonly kind: "restored";
}

export interface VaultClusterArgs extends StoreArgs {
  readonly role: VaultRole;
  /** Default: OpenBao. */
  readonly flavour?: VaultFlavour;
  /** IAM role that the servers assume by their service account; it may encrypt, decrypt and describe the seal key's
   * replica in this region, nothing else. */
  readonly sealRoleArn: pulumi.Input<string>;
  /** Addresses of AWS's key and token services, as CIDRs, where the network has private endpoints of them. Default:
   * every public address. */
  readonly sealNetworks?: readonly string[];
}

/** That production's servers run as; the seal role's trust names it. */
export const vaultServiceAccount = vaultName("production");

/** Raft writes to a majority: of three, one can be lost. A drill reads what is in a snapshot, for which one does. */
const serversOf = { primary: 3, standby: 3, restored: 1 } as const;

/**
 * OpenBao or Vault on raft storage, sealed by the replica of the multi-region key in the region where it runs: a
 * snapshot from any region opens in any other (facts F10).
 *
 * Nobody initialises it here. The primary is initialised once by people, who keep the recovery keys; standby and
 * restored servers are initialised by `dr recover vault`, whose snapshot then replaces what that made.
 */
export class VaultCluster extends Component {
  /** `https://HOST:PORT` of whichever server is ready in this region, from inside its cluster. */
  readonly address: string;
  /** `https://HOST:PORT` of each server, likewise. */
  readonly servers: readonly string[];

  constructor(name: string, args: VaultClusterArgs, options?: pulumi.ComponentResourceOptions) {
    const { flavour = { kind: "openbao" }, lifetime, plan, region, role, topology } = args;
    refuse(`VaultCluster ${name}`, [...storeProblems("vault", args), ...networkProblems("sealNetworks", args.sealNetworks), ...storageProblems(args.storage), ...baoProblems(flavour, args.version), ...sealProblems(args)]);
    super("databases", "VaultCluster", name, args, options);
    const place = insideCluster(placeHere(topology, region, role)); // no other region speaks to it
    const base = vaultName(standingOf(role));
    const names = serverNames(base, serversOf[role.kind]);
    this.address = `https://${clientHost(base, place)}:${ports.vault.api}`;
    this.servers = names.map((server) => `https://${hostIn(place, server)}:${ports.vault.api}`);

    const set = serverSet({ parent: this, prefix: name, base, names, place, topology: unexposed(topology), lifetime, region, application: "vault" });
    vaultServers({ args, flavour, set });
    this.registerOutputs({ role: role.kind, region, copies: names.length, rpo: objectiveOf(plan, "vault"), flavour: flavour.kind, seal: keyAlias(plan, vaultSealKey), lifetime, address: this.address, servers: this.servers });
  }
}

/** The seal's key has a replica in every region of the plan, if the plan has the key at all. */
const sealProblems = ({ plan }: VaultClusterArgs): readonly string[] => (plan.keys.includes(vaultSealKey) ? [] : [`plan.keys: it has no ${vaultSealKey}, by which the servers would be unsealed`]);
