import * as aws from "@pulumi/aws";
import { PostgresCluster } from "../components/databases/postgres-cluster.ts";
import { RedisReplication } from "../components/databases/redis-replication.ts";
import { ArchiveVault } from "../components/storage/archive-vault.ts";
import type { Plan } from "../plan/types.ts";
import type { ArchiveConfig } from "./configuration/schema.ts";
import { accessLog, replicaBuckets } from "./parts/buckets.ts";
import { openRegion } from "./parts/region.ts";
import { storeArgs } from "./parts/stores.ts";
import type { StackOutputs } from "./program.ts";
import type { Surroundings } from "./surroundings.ts";

/** The third region: the archive, the copies that S3 makes itself, and the third voice of each quorum. */
export async function archive(plan: Plan, config: ArchiveConfig, surroundings: Surroundings): Promise<StackOutputs> {
  const region = await openRegion(plan, config, surroundings, "witness", ["sentinel", "redis-sentinel"]);

  const log = accessLog(region);
  const replicas = replicaBuckets(region, config.lockMode, log);
  const vault = new ArchiveVault("archive", archiveArgs(plan, config), archiveAccount(plan, config));

  const etcd = new PostgresCluster("postgres", { ...region.common, role: { kind: "witness" }, image: config.images.runner, storage: { className: config.storage.className, size: config.storage.postgres }, lifetime: "kept" }, region.options);
  const sentinel = new RedisReplication("redis", { ...storeArgs(region, "redis"), role: { kind: "witness" } }, region.options);

  return { region: region.name, archive: vault.uri, replicas: replicas.map(({ bucketName }) => bucketName), etcd: etcd.urn, sentinels: sentinel.sentinels };
}

function archiveArgs(plan: Plan, { archive: choice, aws: account, lockMode }: ArchiveConfig): ConstructorParameters<typeof ArchiveVault>[1] {
  const accountId = account.archiveAccountId ?? account.accountId;
  const common = { plan, accountId, lifetime: "kept" } as const;
  const writers = account.archiveAccountId === undefined ? {} : { writers: [`arn:aws:iam::${account.accountId}:role/${plan.name}-dr-archive-*`] };
  return choice.kind === "glacier-vault" ? { ...common, ...writers, kind: choice.kind, completeLock: choice.completeLock } : { ...common, ...writers, kind: choice.kind, storageClass: choice.storageClass, lockMode, breakGlass: account.archiveAccountId === undefined ? account.breakGlass : account.archiveBreakGlass };
}

/** An account of its own: a thief of the one that writes backups has not this one. */
function archiveAccount(plan: Plan, { aws: account }: ArchiveConfig): { readonly provider?: aws.Provider } {
  if (account.archiveAccountId === undefined) return {};
  const region = plan.backends.find(({ role }) => role === "archive")?.region;
  return {
    provider: new aws.Provider("archive-account", {
      ...(region === undefined ? {} : { region }),
      allowedAccountIds: [account.archiveAccountId],
      assumeRoles: [{ roleArn: `arn:aws:iam::${account.archiveAccountId}:role/${plan.name}-dr-archive-administrator`, sessionName: `${plan.name}-dr-archive` }],
    }),
  };
}
