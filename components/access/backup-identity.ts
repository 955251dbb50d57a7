import * as aws from "@pulumi/aws";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { identities, type Identity, type IdentityName } from "../../plan/identities.ts";
import { defaultNamespace, roleName, serviceAccountName } from "../../plan/names.ts";
import type { Plan } from "../../plan/types.ts";
import { accountProblem } from "../aws/arn.ts";
import { Component, refuse, type Lifetime } from "../component.ts";
import { labelsOf } from "../kubernetes/pod.ts";
import { backupPolicy } from "./backup-policy.ts";
import { trustPolicy } from "./trust-policy.ts";

export interface BackupIdentityArgs {
  /** Gives what the identity writes, and the buckets, the key and the role's name. */
  readonly plan: Plan;
  readonly identity: IdentityName;
  /** Whose cluster it works in, by the plan's name; IAM knows no regions, so the role carries it in its name. */
  readonly region: string;
  /** The AWS account of the role and the backups: 12 digits. */
  readonly accountId: string;
  /** The account that the archive is in, where it is another one. @default accountId */
  readonly archiveAccountId?: string;
  /** The cluster's identity provider: its ARN in IAM, and the issuer's address with or without `https://`. */
  readonly oidc: { readonly arn: pulumi.Input<string>; readonly issuer: pulumi.Input<string> };
  /** Of the service account. @default defaultNamespace(plan) */
  readonly namespace?: string;
  /** `declare`: the Kubernetes service account too, annotated with the role. `expected`: somebody else declares it. */
  readonly serviceAccount: { readonly kind: "declare"; readonly provider: k8s.Provider } | { readonly kind: "expected" };
  /** `ephemeral`, in a drill: the role is called after the namespace as well, so that it takes no name of production's,
   * and only a restorer is allowed: a drill must not be able to write to production's backups. */
  readonly lifetime: Lifetime;
}

/** What one kind of job may do to the backups in AWS, and to nothing else. It costs nothing. */
export class BackupIdentity extends Component {
  readonly roleName: string;
  readonly roleArn: pulumi.Output<string>;
  /** The service account's name, `dr-IDENTITY`. */
  readonly serviceAccount: string;

  constructor(name: string, args: BackupIdentityArgs, options?: pulumi.ComponentResourceOptions) {
    const { plan, region, accountId, archiveAccountId = accountId, oidc, namespace = defaultNamespace(args.plan), lifetime } = args;
    const identity = checked(name, args, namespace);
    super("access", "BackupIdentity", name, args, options);
    const serviceAccount = serviceAccountName(identity.name);
    this.roleName = nameOf(plan, identity, region, namespace, lifetime);
    this.serviceAccount = serviceAccount;

    const role = new aws.iam.Role(
      `${name}-role`,
      {
        name: this.roleName,
        description: `${identity.access} of ${plan.name}'s backups, for ${namespace}/${serviceAccount} in ${region}`,
        assumeRolePolicy: pulumi.all([oidc.arn, oidc.issuer]).apply(([provider, issuer]) => JSON.stringify(trustPolicy({ provider, issuer, namespace, serviceAccount }))),
      },
      { parent: this },
    );
    new aws.iam.RolePolicy(`${name}-policy`, { name: "backups", role: role.name, policy: JSON.stringify(backupPolicy({ plan, identity, accountId, archiveAccountId })) }, { parent: this });
    this.roleArn = role.arn;
    if (args.serviceAccount.kind === "declare") this.declareServiceAccount(name, namespace, role.arn, args.serviceAccount.provider);
    this.registerOutputs({ identity: identity.name, access: identity.access, role: this.roleName, roleArn: this.roleArn, region, namespace, serviceAccount, lifetime });
  }

  private declareServiceAccount(name: string, namespace: string, role: pulumi.Output<string>, provider: k8s.Provider): void {
    new k8s.core.v1.ServiceAccount(
      `${name}-service-account`,
      {
        metadata: { name: this.serviceAccount, namespace, labels: labelsOf("backup-identity", this.serviceAccount), annotations: { "eks.amazonaws.com/role-arn": role } },
        // Of the Kubernetes API; the token for AWS is mounted by EKS's webhook, whatever stands here.
        automountServiceAccountToken: false,
      },
      { parent: this, provider },
    );
  }
}

const nameOf = (plan: Plan, identity: Identity, region: string, namespace: string, lifetime: Lifetime): string => `${roleName(plan, identity.name, region)}${lifetime === "kept" ? "" : `-${namespace}`}`;

/** IAM's limit. */
const longestRoleName = 64;

/** Everything that is wrong with the arguments, or the identity that they name. */
function checked(component: string, { plan, identity: wanted, region, accountId, archiveAccountId, oidc, lifetime }: BackupIdentityArgs, namespace: string): Identity {
  const identity = identities.find(({ name }) => name === wanted);
  const role = identity === undefined ? "" : nameOf(plan, identity, region, namespace, lifetime);
  refuse(`BackupIdentity ${component}`, [
    identity === undefined && `identity: there is no ${JSON.stringify(wanted)}; there are ${identities.map(({ name }) => name).join(", ")}`,
    !plan.regions.some(({ name }) => name === region) && `region: ${region} is no region of the plan`,
    accountProblem(accountId),
    archiveAccountId !== undefined && archiveAccountId !== accountId && accountProblem(archiveAccountId)?.replace("accountId", "archiveAccountId"),
    !/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(namespace) && `namespace: ${JSON.stringify(namespace)} is no name of a Kubernetes namespace; a pattern would let other service accounts in`,
    typeof oidc.arn === "string" && !/^arn:aws:iam::\d{12}:oidc-provider\/./.test(oidc.arn) && `oidc.arn: ${JSON.stringify(oidc.arn)} is no ARN of an OIDC provider`,
    role.length > longestRoleName && `the role's name ${role} has ${role.length} characters; IAM takes ${longestRoleName}`,
    lifetime === "ephemeral" && identity !== undefined && identity.access !== "restorer" && `identity: ${identity.name} writes, and a drill must not be able to write to production's backups; its identity is restore`,
  ]);
  if (identity === undefined) throw new RangeError(`there is no identity ${wanted}`);
  return identity;
}
