import type { StackRule } from "../../core/rule.ts";

/**
 * Classes that do the same as one that rules read, by which each of them could be passed by. `instead` ends the
 * sentence "declare …".
 */
const others: readonly { readonly is: RegExp; readonly instead: string }[] = [
  { is: /^aws:s3\/\w+V2:/, instead: "the class without V2, of which it is an old name" },
  { is: /^aws:s3control\/bucket\w*:/, instead: "a bucket and its guards by the classes of aws.s3" },
  { is: /^aws:s3control\/(multiRegionAccessPoint\w*|objectLambdaAccessPoint\w*|accessGrants?\w*):/, instead: "who may come in the bucket's own policy" },
  { is: /^aws:kms\/(externalKey|replicaExternalKey|customKeyStore|grant):/, instead: "a key of KMS's own and its policy; a grant is a right that stands in none" },
  { is: /^aws:iam\/(groupPolicy|groupPolicyAttachment|policyAttachment|userPolicyAttachment|\w+Exclusive):/, instead: "what a role may do as its RolePolicy" },
  { is: /^aws:(cloudformation|cloudcontrol)\//, instead: "each resource by its own class" },
  { is: /^(aws-native|aws-classic|awsx|google-native):/, instead: "it by the provider aws" },
  { is: /^kubernetes:helm\.sh\/v3:Release$/, instead: "a Chart of helm.sh/v4, whose resources are registered one by one" },
  { is: /^kubernetes:.*:\w+(Patch|List)$/, instead: "each resource whole, by its own class" },
  { is: /^kubernetes:(apps|batch|policy|rbac\.authorization\.k8s\.io|networking\.k8s\.io)\/v\d+(alpha|beta)\d+:/, instead: "it in version v1 of its API" },
  { is: /^kubernetes:extensions\//, instead: "it in the API that it has moved to (apps/v1, networking.k8s.io/v1)" },
  { is: /^kubernetes:core\/v1:PodTemplate$/, instead: "the workload itself" },
  { is: /^kubernetes:.*:(\w*AdminNetworkPolicy|Cilium\w*NetworkPolicy|GlobalNetworkPolicy)$/, instead: "a NetworkPolicy, which it overrides" },
  { is: /^kubernetes:(crd\.projectcalico\.org|projectcalico\.org)\/\w+:NetworkPolicy$/, instead: "a NetworkPolicy of networking.k8s.io/v1, which it overrides" },
  { is: /^(pulumi-(nodejs|python):dynamic|command:(local|remote)|kubernetes:kustomize\/v2):/, instead: "the resources that it makes: what a program does while it runs stands in no property" },
];

export const readClasses: StackRule = {
  kind: "stack", // asked once: the SDK would read every resource anew
  scope: "stack",
  id: "read-classes",
  severity: "critical",
  enforcement: "mandatory",
  protects: "Every rule reads one class of each thing: by another class that does the same, a bucket, a pod or a right is declared that nothing here judges.",
  fix: "Declare it by the class that the rules read.",
  breaks: {}, // a class, no property
  judge(resources, verdict) {
    for (const resource of resources) {
      const other = others.find(({ is }) => is.test(resource.facts.type));
      if (other !== undefined) verdict.violation(resource, "", `is a ${resource.facts.type}, which no rule reads: declare ${other.instead}`);
    }
  },
};
