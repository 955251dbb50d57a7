import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { IdentityName } from "../../plan/identities.ts";
import type { Plan } from "../../plan/types.ts";
import { Component, refuse, type Lifetime } from "../component.ts";

export interface BackupIdentityArgs {
  readonly plan: Plan;
  readonly identity: IdentityName;
  /** Whose cluster it works in, by the plan's name; IAM knows no regions, so the role carries it in its name. */
  readonly region: string;
  /** The AWS account of the role and the backups, 12 digits. */
  readonly accountId: string;
  /** The account that the archive is in, where it is another one. @default accountId */
  readonly archiveAccountId?: string;
  /** The cluster's identity provider: its ARN in IAM, and the issuer's address with or without `https://`. */
  readonly oidc: { readonly arn: pulumi.Input<string>; readonly issuer: pulumi.Input<string> };
  /** @default defaultNamespace(plan) */
  readonly namespace?: string;
  /** `declare`: the Kubernetes service account too, annotated with the role. `expected`: somebody else declares it. */
  readonly serviceAccount: { readonly kind: "declare"; readonly provider: k8s.Provider } | { readonly kind: "expected" };
  readonly lifetime: Lifetime;
}

/** What one kind of job may do to the backups in AWS, and to nothing else. */
export class BackupIdentity extends Component {
  declare readonly roleName: string;
  declare readonly roleArn: pulumi.Output<string>;
  /** The service account's name, `dr-IDENTITY`. */
  declare readonly serviceAccount: string;

  constructor(name: string, args: BackupIdentityArgs, options?: pulumi.ComponentResourceOptions) {
    refuse(`BackupIdentity ${name}`, ["not written yet"]);
    super("access", "BackupIdentity", name, args, options);
  }
}
