import type * as pulumi from "@pulumi/pulumi";
import { BackupIdentity } from "../../components/access/backup-identity.ts";
import { SealIdentity } from "../../components/access/seal-identity.ts";
import { vaultServiceAccount } from "../../components/databases/vault-cluster.ts";
import { identities, type IdentityName } from "../../plan/identities.ts";
import type { ServingConfig } from "../configuration/schema.ts";
import type { OpenRegion } from "./region.ts";

/** The IAM roles of a region's pods; none where its cluster has no identity provider, and credentials come from elsewhere. */
export interface RegionIdentities {
  readonly roleArns: Readonly<Partial<Record<IdentityName, pulumi.Output<string>>>> | undefined;
  readonly sealRoleArn: pulumi.Output<string> | undefined;
}

export function declareIdentities({ plan, name: region, place, cluster, config: { aws, vault } }: OpenRegion<ServingConfig>): RegionIdentities {
  const { oidc } = cluster;
  if (oidc === undefined) return { roleArns: undefined, sealRoleArn: undefined };
  const { namespace } = place;
  const archive = aws.archiveAccountId === undefined ? {} : { archiveAccountId: aws.archiveAccountId };
  // The jobs declare their service accounts, annotated with these roles.
  const roles = identities.map(({ name }) => [name, new BackupIdentity(`identity-${name}`, { plan, identity: name, region, accountId: aws.accountId, ...archive, oidc, namespace, serviceAccount: { kind: "expected" }, lifetime: "kept" }).roleArn] as const);
  const seal = vault ? new SealIdentity("identity-vault-seal", { plan, region, accountId: aws.accountId, oidc, namespace, serviceAccount: vaultServiceAccount }) : undefined;
  return { roleArns: Object.fromEntries(roles), sealRoleArn: seal?.roleArn };
}
