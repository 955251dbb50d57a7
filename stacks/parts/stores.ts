import type { ComponentResourceOptions } from "@pulumi/pulumi";
import { PostgresCluster, type RepositoryAccess } from "../../components/databases/postgres-cluster.ts";
import { RedisReplication } from "../../components/databases/redis-replication.ts";
import type { StoreArgs } from "../../components/databases/store-args.ts";
import { VaultCluster, type VaultFlavour } from "../../components/databases/vault-cluster.ts";
import { VectorStore } from "../../components/databases/vector-store.ts";
import { serviceAccountName } from "../../plan/names.ts";
import { r2Secret } from "../../plan/secrets.ts";
import type { Backend, Plan } from "../../plan/types.ts";
import type { ArchiveConfig, ServingConfig } from "../configuration/schema.ts";
import { endpointOf } from "./endpoints.ts";
import type { RegionIdentities } from "./identities.ts";
import type { OpenRegion } from "./region.ts";

/** What a region that serves, or stands by, has of each store; `undefined` where the operator runs none. */
export interface RegionStores {
  readonly postgres: PostgresCluster;
  readonly redis: RedisReplication;
  readonly vault: VaultCluster | undefined;
  readonly vectors: VectorStore | undefined;
}

/** What every store of a region that runs as servers is told. */
export function storeArgs({ common, config }: OpenRegion<ArchiveConfig | ServingConfig>, store: "redis" | "vault" | "vectors"): StoreArgs {
  const { images, versions, storage } = config;
  return { ...common, image: images[store] ?? images.runner, version: versions[store], storage: { className: storage.className, size: storage[store] }, lifetime: "kept" };
}

export function declareStores(region: OpenRegion<ServingConfig>, identities: RegionIdentities, role: "primary" | "standby"): RegionStores {
  const { config, common, options } = region;
  const postgres = new PostgresCluster(
    "postgres",
    {
      ...common,
      role: { kind: role },
      image: config.images.runner,
      storage: { className: config.storage.className, size: config.storage.postgres },
      repositories: repositories(region.plan, config),
      identity: { serviceAccount: serviceAccountName("postgres"), ...(identities.roleArns?.postgres === undefined ? {} : { roleArn: identities.roleArns.postgres }) },
      health: healthOf(config),
      lifetime: "kept",
    },
    options,
  );
  const redis = new RedisReplication("redis", { ...storeArgs(region, "redis"), role: { kind: role } }, options);
  return { postgres, redis, vault: vaultOf(region, identities, role, options), vectors: vectorsOf(region, role, options) };
}

/** pgBackRest's repositories: one in every backend that jobs write to. R2 has no roles for workloads, S3 has (facts F3). */
function repositories(plan: Plan, config: ServingConfig): readonly RepositoryAccess[] {
  const written = plan.backends.filter((backend): backend is Backend & { kind: "r2" | "s3" } => backend.kind === "r2" || backend.kind === "s3");
  return written.map((backend) => ({ backend: backend.name, endpoint: endpointOf(backend, config), credentials: backend.kind === "r2" ? { kind: "secret-file", secret: r2Secret("writer") } : { kind: "web-identity" } }));
}

function healthOf({ health }: ServingConfig): NonNullable<ConstructorParameters<typeof PostgresCluster>[1]["health"]> {
  if (health.kind === "service") return { kind: "service" };
  const { annotations, ...rest } = health;
  return annotations === undefined ? rest : { ...rest, annotations };
}

function vaultOf(region: OpenRegion<ServingConfig>, { sealRoleArn }: RegionIdentities, role: "primary" | "standby", options: ComponentResourceOptions): VaultCluster | undefined {
  const { vault, vaultSeal } = region.config;
  if (!vault || sealRoleArn === undefined) return undefined;
  const flavour: VaultFlavour = vaultSeal === undefined ? { kind: "openbao" } : { kind: "openbao", plugin: vaultSeal };
  return new VaultCluster("vault", { ...storeArgs(region, "vault"), role: { kind: role }, sealRoleArn, flavour }, options);
}

function vectorsOf(region: OpenRegion<ServingConfig>, role: "primary" | "standby", options: ComponentResourceOptions): VectorStore | undefined {
  const { vectors } = region.config;
  if (vectors === undefined) return undefined;
  if (vectors.kind === "pinecone") return new VectorStore("vectors", { kind: "pinecone", plan: region.plan, region: region.name, index: vectors.index, host: vectors.host }, options);
  return new VectorStore("vectors", { kind: "qdrant", ...storeArgs(region, "vectors"), role: { kind: role }, ...(vectors.nodes === undefined ? {} : { nodes: vectors.nodes }) }, options);
}
