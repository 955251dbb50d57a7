import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { nameTag, type EksScope } from "./scope.ts";

/** IAM's limit of a role's name. */
export const longestRoleName = 64;
/** The parts of a cluster that have a role of their own, each named after the cluster. */
export const rolesOf = { controlPlane: "control-plane", nodes: "nodes", network: "vpc-cni", volumes: "ebs-csi" } as const;
type RolePart = (typeof rolesOf)[keyof typeof rolesOf];

const trustOfService = (service: string): string =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: service.startsWith("eks") ? ["sts:AssumeRole", "sts:TagSession"] : "sts:AssumeRole" }] });

/** A role that a service of AWS takes on, with policies that AWS keeps. */
export function serviceRole(scope: EksScope, part: RolePart, service: string, policies: readonly string[]): { readonly role: aws.iam.Role; readonly policies: readonly pulumi.Resource[] } {
  return attached(scope, part, trustOfService(service), policies);
}

/** A role that one service account of the cluster takes on, and no other. Its trust names the issuer, which AWS makes
 * with the cluster: the only document here that a first preview cannot show. */
export function accountRole(scope: EksScope, part: RolePart, provider: aws.iam.OpenIdConnectProvider, account: { readonly namespace: string; readonly name: string }, policies: readonly string[]): { readonly role: aws.iam.Role; readonly policies: readonly pulumi.Resource[] } {
  const trust = pulumi.all([provider.arn, provider.url]).apply(([arn, url]) => trustOfAccount(arn, url, account));
  return attached(scope, part, trust, policies);
}

/** Pure. Both claims are asked for exactly: a wildcard would let any pod of the cluster in. */
export function trustOfAccount(providerArn: string, issuer: string, { namespace, name }: { readonly namespace: string; readonly name: string }): string {
  const host = issuer.replace(/^https:\/\//, "");
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Federated: providerArn },
        Action: "sts:AssumeRoleWithWebIdentity",
        Condition: { StringEquals: { [`${host}:sub`]: `system:serviceaccount:${namespace}:${name}`, [`${host}:aud`]: "sts.amazonaws.com" } },
      },
    ],
  });
}

function attached({ name, cluster, parent }: EksScope, part: RolePart, assumeRolePolicy: pulumi.Input<string>, policies: readonly string[]) {
  const roleName = `${cluster}-${part}`;
  const role = new aws.iam.Role(`${name}-${part}-role`, { name: roleName, assumeRolePolicy, tags: nameTag(roleName) }, { parent });
  const attachments = policies.map((policy) => new aws.iam.RolePolicyAttachment(`${name}-${part}-${policy.split("/").at(-1) ?? policy}`, { role: role.name, policyArn: `arn:aws:iam::aws:policy/${policy}` }, { parent }));
  return { role, policies: attachments };
}
