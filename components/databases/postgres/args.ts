import type * as pulumi from "@pulumi/pulumi";
import type { BackendName, Plan } from "../../../plan/types.ts";
import type { Lifetime } from "../../component.ts";
import type { Peer } from "../../kubernetes/network.ts";
import type { IssuerRef, Topology } from "../../topology.ts";
import type { RestoredPlace, StorageArgs, StoreResources } from "../store-args.ts";

/** What this region's part of the database is. */
export type PostgresClusterRole =
  /** The leader and its synchronous replica, on two nodes; a member of etcd. */
  | { readonly kind: "primary" }
  /** The asynchronous replica that promotes itself where the primary region is gone; a member of etcd. */
  | { readonly kind: "standby" }
  /** A member of etcd alone: the third voice, without which a lost region could not be told from a lost network. */
  | { readonly kind: "witness" }
  | RestoredPostgres;

/** A database of its own out of a backup: a scope and an etcd of its own, in this region alone, and no archiving, as
 * its WAL in production's archive would lead later recoveries astray. */
export interface RestoredPostgres extends RestoredPlace {
  readonly kind: "restored";
  /** An id of the catalog, a label of pgBackRest, or `latest`. */
  readonly from: string;
  /** ISO 8601 with a zone, e.g. `2026-11-22T21:18:00Z`; up to that moment, it included. Default: the latest. */
  readonly targetTime?: string;
  /** The one repository that is read; the others are not named, as a dead one costs minutes (facts F8). */
  readonly repository: BackendName;
}

/** How one backend's repository is reached. Its bucket, region and passphrase follow from the plan. */
export interface RepositoryAccess {
  readonly backend: BackendName;
  /** A host, or `host:port`; TLS always. R2: `ACCOUNT.r2.cloudflarestorage.com`; S3: `s3.REGION.amazonaws.com`. */
  readonly endpoint: string;
  /** `secret-file`: a secret of the plan in AWS's shared credentials format (R2, which has no roles for workloads).
   * `web-identity`: the pod's own role, nothing that could be stolen from a file (S3). */
  readonly credentials: { readonly kind: "secret-file"; readonly secret: string } | { readonly kind: "web-identity" };
  /** Kubernetes secret with the authority that signs the endpoint's certificate, in `ca.crt`. Default: the system's
   * authorities; only a private object store (a test) needs one. */
  readonly authority?: string;
}

/** Who the pods are to the cloud. */
export interface PostgresIdentity {
  /** Name of the Kubernetes service account, which somebody else declares; e.g. `serviceAccountName("postgres")`. */
  readonly serviceAccount: string;
  /** Its IAM role; needed where a repository is reached by web identity. */
  readonly roleArn?: pulumi.Input<string>;
}

/** Versions of the image's programs, as they print them: features and options go by them. */
export interface PostgresVersions {
  readonly postgres: string;
  readonly patroni: string;
  readonly pgbackrest: string;
  readonly etcd: string;
  readonly haproxy: string;
}
/** Of Debian 13, which the image is made of. */
export const debian13: PostgresVersions = { postgres: "17", patroni: "4.0", pgbackrest: "2.55", etcd: "3.5", haproxy: "3.0" };

/** Of one database server; WAL that a slot holds back (`plan.postgres.slotWalLimit`) lies there too. */
export type PostgresStorage = StorageArgs;

/** How a health check of another provider reaches this region (Cloudflare's monitor). */
export type HealthExposure =
  /** A service inside the cluster; whoever serves the region's public name routes `/healthz/writable` to it. */
  | { readonly kind: "service" }
  /** An Ingress of its own for that one path. */
  | {
      readonly kind: "ingress";
      /** Name that the check asks for: clients' (`DnsFailoverArgs.hostname`), which the monitor sends as Host. */
      readonly host: string;
      readonly className: string;
      /** Must tell the controller that the service behind speaks HTTPS, in its own words. Default: as ingress-nginx wants it. */
      readonly annotations?: Readonly<Record<string, string>>;
    };

export interface PostgresClusterArgs {
  readonly plan: Plan;
  readonly role: PostgresClusterRole;
  /** All regions, as every member is named in every member's configuration. A restored database looks at its own alone. */
  readonly topology: Topology;
  /** The region that is declared here, by the plan's name. */
  readonly region: string;
  /** Holds PostgreSQL, Patroni, pgBackRest, etcd, HAProxy and `dr`; by digest. */
  readonly image: string;
  readonly issuer: IssuerRef;
  /** Default: Debian 13's. */
  readonly versions?: PostgresVersions;
  /** Of a database server. etcd's volume is of the same class, with a size of its own; the witness has that alone. */
  readonly storage: PostgresStorage;
  /** Of every backend of the plan that holds a repository; of a restored database the one that it reads. */
  readonly repositories?: readonly RepositoryAccess[];
  /** Needed but for the witness. */
  readonly identity?: PostgresIdentity;
  /** Addresses that servers and clients of any region come from, for pg_hba and the network policies. Default: the
   * private ones; every connection is encrypted and authenticated besides. */
  readonly networks?: readonly string[];
  /** Who may use the database through the proxy, besides what the networks allow. Default: every pod of the namespace. */
  readonly clients?: readonly Peer[];
  /** Of a database server: what is reserved, and of memory the limit; a quarter of it becomes PostgreSQL's shared
   * buffers. Default: 2 CPUs and 8 GiB. */
  readonly resources?: StoreResources;
  /** Default: a service inside the cluster. */
  readonly health?: HealthExposure;
  /** `ephemeral`: nothing is protected, and the data goes with the stack. */
  readonly lifetime: Lifetime;
}
