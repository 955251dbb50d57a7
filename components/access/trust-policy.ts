import { policyDocument, type PolicyDocument } from "../aws/policy-document.ts";

export interface TrustPolicyInput {
  /** ARN in IAM of the cluster's identity provider. */
  readonly provider: string;
  /** Its address, with or without `https://`. */
  readonly issuer: string;
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** Who may take a role: one service account of one namespace of one cluster. */
export function trustPolicy({ provider, issuer, namespace, serviceAccount }: TrustPolicyInput): PolicyDocument {
  const host = issuer.replace(/^https:\/\//, "").replace(/\/$/, "");
  return policyDocument({
    Sid: "ServiceAccount",
    Effect: "Allow",
    Principal: { Federated: provider },
    Action: "sts:AssumeRoleWithWebIdentity",
    // Both, and neither by a pattern: without `aud` a token for another audience would do, without `sub` any pod's.
    Condition: { StringEquals: { [`${host}:aud`]: "sts.amazonaws.com", [`${host}:sub`]: `system:serviceaccount:${namespace}:${serviceAccount}` } },
  });
}
