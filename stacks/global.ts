import { BackupSecrets } from "../components/access/backup-secrets.ts";
import { findExistingSecrets } from "../components/access/existing-secrets.ts";
import { rememberedState } from "../components/adopt.ts";
import { DnsFailover } from "../components/failover/dns-failover.ts";
import { BackupKey } from "../components/keys/backup-key.ts";
import { findExistingKeys } from "../components/keys/existing-keys.ts";
import { bucketExists, bucketRemembered } from "../components/storage/existing-bucket.ts";
import { R2BackupBucket } from "../components/storage/r2-backup-bucket.ts";
import type { Plan } from "../plan/types.ts";
import type { GlobalConfig } from "./configuration/schema.ts";
import { present } from "./parts/present.ts";
import { keyUsers } from "./parts/principals.ts";
import type { StackOutputs } from "./program.ts";

/** What belongs to no region: keys with a replica in each, secrets likewise, the bucket at Cloudflare, and the names. */
export async function global(plan: Plan, { aws, r2, dns, escrow }: GlobalConfig): Promise<StackOutputs> {
  // Before anything is declared: what exists and the state does not remember wins over what would be made anew, after a
  // lost state as after an `up` that broke off before its state was written.
  const state = await rememberedState();
  const existing = await findExistingSecrets(plan);
  const existingKeys = await findExistingKeys(plan, state);
  const adopt = !bucketRemembered("r2", state) && (r2.adopt || (await bucketExists({ plan, backend: "r2", accountId: r2.accountId })));

  const keys = plan.keys.map((key) => new BackupKey(key, { plan, key, accountId: aws.accountId, administrators: aws.administrators, ...keyUsers(plan, aws.accountId, key), existing: existingKeys.get(key), lifetime: "kept" }));
  const bucket = new R2BackupBucket("r2", { plan, backend: "r2", ...present(r2), tokens: present(r2.tokens), adopt, lifetime: "kept" });
  const secrets = new BackupSecrets("secrets", { plan, r2: bucket, recipients: escrow.recipients, existing, lifetime: "kept" }, { dependsOn: keys });
  const failover = new DnsFailover("failover", { plan, accountId: r2.accountId, ...dns, lifetime: "kept" });

  return { keys: keys.map(({ alias }) => alias), bucket: bucket.bucketName, escrow: secrets.escrowKey, secrets: [...secrets.paths.values()], loadBalancer: failover.loadBalancerId, detectionSeconds: failover.detection };
}
