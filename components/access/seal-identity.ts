import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { keyAlias, roleName } from "../../plan/names.ts";
import type { Plan } from "../../plan/types.ts";
import { accountProblem } from "../aws/arn.ts";
import { policyDocument, type PolicyDocument } from "../aws/policy-document.ts";
import { Component, refuse } from "../component.ts";
import { trustPolicy } from "./trust-policy.ts";

/** In the role's name, and of the key in `plan.keys` that it uses. */
export const sealIdentity = "vault-seal";

export interface SealIdentityArgs {
  readonly plan: Plan;
  /** Whose servers it is for, by the plan's name: they use the key's replica of their own region. */
  readonly region: string;
  /** The AWS account of the key: 12 digits. */
  readonly accountId: string;
  /** The cluster's identity provider: its ARN in IAM, and the issuer's address with or without `https://`. */
  readonly oidc: { readonly arn: pulumi.Input<string>; readonly issuer: pulumi.Input<string> };
  readonly namespace: string;
  /** That Vault's servers run as. */
  readonly serviceAccount: string;
}

/** The IAM role by which Vault's servers seal and unseal themselves with the multi-region key (facts F10). */
export class SealIdentity extends Component {
  readonly roleArn: pulumi.Output<string>;

  constructor(name: string, args: SealIdentityArgs, options?: pulumi.ComponentResourceOptions) {
    const { plan, region, accountId, oidc, namespace, serviceAccount } = args;
    refuse(`SealIdentity ${name}`, [
      !plan.regions.some((one) => one.name === region) && `region: ${region} is no region of the plan`,
      !plan.keys.includes(sealIdentity) && `plan.keys: there is no ${sealIdentity}; there are ${plan.keys.join(", ")}`,
      accountProblem(accountId),
    ]);
    super("access", "SealIdentity", name, args, options);
    const role = new aws.iam.Role(
      `${name}-role`,
      {
        name: roleName(plan, sealIdentity, region),
        description: `seals and unseals Vault in ${region}`,
        assumeRolePolicy: pulumi.all([oidc.arn, oidc.issuer]).apply(([provider, issuer]) => JSON.stringify(trustPolicy({ provider, issuer, namespace, serviceAccount }))),
      },
      { parent: this },
    );
    new aws.iam.RolePolicy(`${name}-policy`, { name: "seal", role: role.name, policy: JSON.stringify(sealPolicy(plan, region, accountId)) }, { parent: this });
    this.roleArn = role.arn;
    this.registerOutputs({ region, role: roleName(plan, sealIdentity, region), key: keyAlias(plan, sealIdentity) });
  }
}

/** By the alias, which the replica of every region has; the servers' own region alone. */
export const sealPolicy = (plan: Plan, region: string, accountId: string): PolicyDocument =>
  policyDocument({
    Sid: "Seal",
    Effect: "Allow",
    Action: ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt"],
    Resource: `arn:aws:kms:${region}:${accountId}:key/*`,
    Condition: { "ForAnyValue:StringEquals": { "kms:ResourceAliases": [keyAlias(plan, sealIdentity)] } },
  });
