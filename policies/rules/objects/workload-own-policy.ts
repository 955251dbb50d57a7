import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { roleType } from "../kubernetes/trust.ts";
import { isWorkload } from "../workloads.ts";

/** AWS's own policies that a cluster's parts need; they say nothing of S3, Glacier or KMS. */
const harmless = /:policy\/(service-role\/)?AmazonE(KS|C2ContainerRegistry|BS)\w*$/;

export const workloadOwnPolicy: ResourceRule = {
  kind: "resource",
  id: "workload-own-policy",
  severity: "high",
  enforcement: "mandatory",
  protects: "A policy that is attached and stands elsewhere grows without a review here; AWS's own for S3 include the deletion of versions.",
  fix: "Write what the role may do as a RolePolicy of its own, action by action.",
  types: ["aws:iam/rolePolicyAttachment:RolePolicyAttachment", roleType],
  breaks: { policyArn: "arn:aws:iam::aws:policy/AmazonS3FullAccess", managedPolicyArns: ["arn:aws:iam::aws:policy/AmazonS3FullAccess"], inlinePolicies: [{ name: "more", policy: "{}" }] },
  selects: ["role"],
  judge(resource, verdict) {
    if (resource.facts.type === roleType) {
      for (const path of ["managedPolicyArns", "inlinePolicies"]) verdict.property(resource, path, (value) => (value === undefined || (Array.isArray(value) && value.length === 0) ? undefined : `${shown(value)} on the role itself, where nothing judges it`));
      return;
    }
    const role = resource.read("role");
    if (role.state === "known" && typeof role.value === "string" && !isWorkload(verdict.plan.name, role.value)) return;
    verdict.property(resource, "policyArn", (arn) => (typeof arn === "string" && harmless.test(arn) ? undefined : `${shown(arn)}, which is not judged here`));
  },
};
