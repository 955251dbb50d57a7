import { expect, it } from "vitest";
import { blackroad } from "../../../../plan/blackroad.ts";
import { judgeStack } from "../../../../policies/core/judge.ts";
import { allRules } from "../../../../policies/rules/all.ts";
import { readClasses } from "../../../../policies/rules/stacks/read-classes.ts";
import { resource } from "../../../harness/policies.ts";

const judge = (type: string) => judgeStack(readClasses, [resource(type, {})], { plan: blackroad, production: true });

it.each([
  "aws:s3/bucketV2:BucketV2", "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2", "aws:s3/bucketAclV2:BucketAclV2", "aws-native:s3:Bucket",
  "aws:s3control/bucketPolicy:BucketPolicy", "aws:s3control/multiRegionAccessPointPolicy:MultiRegionAccessPointPolicy", "aws:kms/externalKey:ExternalKey", "aws:kms/grant:Grant",
  "aws:iam/policyAttachment:PolicyAttachment", "aws:iam/groupPolicy:GroupPolicy", "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive", "aws:cloudformation/stack:Stack",
  "kubernetes:helm.sh/v3:Release", "kubernetes:apps/v1:StatefulSetPatch", "kubernetes:core/v1:PodList", "kubernetes:batch/v1beta1:CronJob", "kubernetes:apps/v1beta2:Deployment", "kubernetes:extensions/v1beta1:DaemonSet",
  "kubernetes:policy.networking.k8s.io/v1alpha1:AdminNetworkPolicy", "kubernetes:cilium.io/v2:CiliumNetworkPolicy", "kubernetes:projectcalico.org/v3:NetworkPolicy", "pulumi-nodejs:dynamic:Resource", "command:local:Command",
])("read-classes catches %s, which no rule reads", (type) => {
  expect(judge(type)).toMatchObject([{ kind: "violation", message: expect.stringMatching(/declare .*\. Every rule reads one class.*Declare it by the class/s) as unknown }]);
});

it.each(["aws:s3/bucketObjectv2:BucketObjectv2", "kubernetes:helm.sh/v4:Chart", "aws:kms/key:Key", "aws:iam/userPolicy:UserPolicy", "kubernetes:cert-manager.io/v1:Certificate", "kubernetes:monitoring.coreos.com/v1:PrometheusRule", "kubernetes:networking.k8s.io/v1:NetworkPolicy"])("read-classes lets %s pass", (type) => {
  expect(judge(type)).toEqual([]);
});

it("catches no class that a rule is about", () => {
  const about = new Set(allRules.flatMap((rule) => (rule.kind === "resource" ? rule.types : [])));
  expect([...about].filter((type) => judge(type).length > 0)).toEqual([]);
});
