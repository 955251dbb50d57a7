import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { BackupIdentity } from "../../components/access/backup-identity.ts";
import type { WorkloadIdentity } from "../../components/foundation/cluster-choice.ts";
import { secretsOfIdentity } from "../../plan/identity-needs.ts";
import { secretPath } from "../../plan/names.ts";
import type { Plan } from "../../plan/types.ts";
import type { DrillConfig } from "../configuration/schema.ts";

/** What a recovery opens, read from the replicas of the drill's own region: the primary's may be gone. */
export function drillSecrets(plan: Plan, { drill }: DrillConfig): Readonly<Record<string, pulumi.Output<string>>> {
  return Object.fromEntries(secretsOfIdentity(plan, "restore").map((secret) => [secret, aws.secretsmanager.getSecretVersionOutput({ secretId: secretPath(plan, secret), region: drill.region }).secretString]));
}

/** A role of the drill's own that reads backups and writes nothing; without it S3's copy is out of its reach. */
export function drillRole(plan: Plan, { aws: account, drill }: DrillConfig, oidc: WorkloadIdentity | undefined): { readonly roleArn?: pulumi.Output<string> } {
  if (oidc === undefined) return {};
  return { roleArn: new BackupIdentity("identity-restore", { plan, identity: "restore", region: drill.region, accountId: account.accountId, oidc, namespace: drill.name, serviceAccount: { kind: "expected" }, lifetime: "ephemeral" }).roleArn };
}
