import { describe, expect, it } from "vitest";
import { blackroad } from "../../../../plan/blackroad.ts";
import { judgeResource, judgeStack } from "../../../../policies/core/judge.ts";
import type { ResourceFacts } from "../../../../policies/core/resource.ts";
import { unknown } from "../../../../policies/core/value.ts";
import { rbacWildcards } from "../../../../policies/rules/kubernetes/rbac-wildcards.ts";
import { roleTrust } from "../../../../policies/rules/kubernetes/role-trust.ts";
import { serviceAccountRole } from "../../../../policies/rules/kubernetes/service-account-role.ts";
import { serviceAccountToken } from "../../../../policies/rules/kubernetes/service-account-token.ts";
import { resource } from "../../../harness/policies.ts";
import { pod, statefulSet } from "./pods.ts";

const settings = { plan: blackroad, production: true };
const rbac = (kind: string, props: Readonly<Record<string, unknown>>) => resource(`kubernetes:rbac.authorization.k8s.io/v1:${kind}`, props);
type Props = Readonly<Record<string, unknown>>;
const arnKey = "eks.amazonaws.com/role-arn";
const roleArn = "arn:aws:iam::111122223333:role/blackroad-dr-postgres";
const account = (props: Props = {}, more: Partial<ResourceFacts> = {}) =>
  resource("kubernetes:core/v1:ServiceAccount", { metadata: { name: "pg", namespace: "blackroad-dr", annotations: { [arnKey]: roleArn } }, automountServiceAccountToken: false, ...props }, { name: "account", ...more });

const subject = "system:serviceaccount:blackroad-dr:pg";
const claims = (sub: unknown = subject, aud: unknown = "sts.amazonaws.com") => ({ StringEquals: { "oidc.eks.example/id/1:sub": sub, "oidc.eks.example/id/1:aud": aud } });
const statement = (changes: Props = {}) => ({ Effect: "Allow", Action: "sts:AssumeRoleWithWebIdentity", Principal: { Federated: "arn:aws:iam::111122223333:oidc-provider/oidc.eks.example" }, Condition: claims(), ...changes });
const trust = (...statements: readonly unknown[]) => JSON.stringify({ Version: "2012-10-17", Statement: statements });
const role = (assumeRolePolicy: unknown = trust(statement())) => resource("aws:iam/role:Role", { name: "blackroad-dr-postgres", assumeRolePolicy }, { name: "role" });

describe("service-account-token", () => {
  const judge = (...resources: readonly ResourceFacts[]) => judgeStack(serviceAccountToken, resources, settings);
  const tokenPath = "spec.template.spec.automountServiceAccountToken";
  const projected = (token: unknown) => statefulSet(pod({ volumes: [{ name: "token", projected: { sources: [{ serviceAccountToken: token }, { configMap: { name: "ca" } }] } }] }));
  const binding = (changes: Props = {}) => rbac("RoleBinding", { metadata: { namespace: "blackroad-dr" }, subjects: [{ kind: "ServiceAccount", name: "pg" }], ...changes });

  it("lets accounts and pods pass without a token, and tokens for somebody else", () => {
    expect(judge(account(), statefulSet(), projected({ audience: "vault", path: "token" }))).toEqual([]);
  });

  it("lets those have it that a role is bound to", () => {
    const used = [account({ automountServiceAccountToken: true }), statefulSet(pod({ automountServiceAccountToken: true }))];
    expect(judge(...used, binding())).toEqual([]);
    expect(judge(...used, binding({ subjects: [{ kind: "ServiceAccount", name: "other" }] }))).toMatchObject([{ kind: "violation" }, { kind: "violation" }]);
    expect(judge(...used, binding({ subjects: [{ kind: "ServiceAccount", name: "pg", namespace: "elsewhere" }] }))).toMatchObject([{ kind: "violation" }, { kind: "violation" }]);
    expect(judge(...used, binding({ subjects: unknown }))).toMatchObject([{ kind: "unjudged" }, { kind: "unjudged" }]);
  });

  it.each<readonly [string, ResourceFacts, string]>([
    ["an account that mounts it", account({ automountServiceAccountToken: true }), "automountServiceAccountToken"],
    ["an account of which nothing is said", account({ automountServiceAccountToken: undefined }), "automountServiceAccountToken"],
    ["a pod that mounts it", statefulSet(pod({ automountServiceAccountToken: true })), tokenPath],
    ["a pod of which nothing is said", statefulSet(pod({ automountServiceAccountToken: undefined })), tokenPath],
    ["a token that never ends", resource("kubernetes:core/v1:Secret", { type: "kubernetes.io/service-account-token", metadata: { namespace: "blackroad-dr", annotations: { "kubernetes.io/service-account.name": "pg" } } }), "type"],
    ["a projected token for whoever asks", projected({ path: "token" }), "spec.template.spec.volumes[0].projected.sources[0].serviceAccountToken.audience"],
    ["a projected token for Kubernetes", projected({ audience: "https://kubernetes.default.svc" }), "spec.template.spec.volumes[0].projected.sources[0].serviceAccountToken.audience"],
  ])("catches %s", (_, facts, path) => {
    expect(judge(facts)).toMatchObject([{ kind: "violation", path, message: expect.stringContaining(serviceAccountToken.fix) as unknown }]);
  });

  it("says what it could not judge before `up`", () => {
    expect(judge(account({ automountServiceAccountToken: unknown }))).toMatchObject([{ kind: "unjudged" }]);
    expect(judge(statefulSet(pod({ automountServiceAccountToken: unknown, volumes: unknown })))).toMatchObject([{ kind: "unjudged", path: tokenPath }, { kind: "unjudged", path: "spec.template.spec.volumes" }]);
    expect(judge(projected(unknown))).toMatchObject([{ kind: "unjudged" }]);
  });
});

describe("rbac-wildcards", () => {
  const judge = (facts: ResourceFacts) => judgeResource(rbacWildcards, facts, settings);
  const rule = (changes: Props = {}) => rbac("ClusterRole", { rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"], ...changes }] });
  const binding = (changes: Props = {}) => rbac("ClusterRoleBinding", { roleRef: { name: "pods-reader" }, subjects: [{ kind: "ServiceAccount", name: "dr-config" }], ...changes });

  it("lets named rights of one account pass", () => {
    expect([...judge(rule()), ...judge(binding())]).toEqual([]);
  });

  it.each<readonly [string, ResourceFacts, string]>([
    ["every verb", rule({ verbs: ["*"] }), "rules[0].verbs"],
    ["no verb", rule({ verbs: undefined }), "rules[0].verbs"],
    ["a verb that gives all others", rule({ verbs: ["get", "escalate"] }), "rules[0].verbs"],
    ["every resource", rule({ resources: ["*"] }), "rules[0].resources"],
    ["a part of every resource", rule({ resources: ["*/scale"] }), "rules[0].resources"],
    ["every group", rule({ apiGroups: ["*"] }), "rules[0].apiGroups"],
    ["every address", rule({ nonResourceURLs: ["*"] }), "rules[0].nonResourceURLs"],
    ["rights by a label", rbac("ClusterRole", { aggregationRule: { clusterRoleSelectors: [{}] } }), "aggregationRule"],
    ["the administrator's role", binding({ roleRef: { name: "cluster-admin" } }), "roleRef.name"],
    ["the administrator's role in a namespace", rbac("RoleBinding", { roleRef: { name: "admin" }, subjects: [{ kind: "ServiceAccount", name: "dr-config" }] }), "roleRef.name"],
    ["the role of whoever edits", binding({ roleRef: { name: "edit" } }), "roleRef.name"],
    ["every resource, and no list", rule({ resources: "*" }), "rules[0].resources"],
    ["no role", binding({ roleRef: undefined }), "roleRef.name"],
    ["everybody", binding({ subjects: [{ kind: "Group", name: "system:serviceaccounts" }] }), "subjects[0].name"],
    ["nobody", binding({ subjects: undefined }), "subjects"],
  ])("catches %s", (_, facts, path) => {
    expect(judge(facts)).toMatchObject([{ kind: "violation", path, message: expect.stringContaining(rbacWildcards.fix) as unknown }]);
  });

  it("says what it could not judge before `up`", () => {
    expect(judge(rule({ verbs: unknown }))).toMatchObject([{ kind: "unjudged", path: "rules[0].verbs" }]);
    expect(judge(rule({ verbs: ["get", unknown] }))).toMatchObject([{ kind: "unjudged", path: "rules[0].verbs" }]);
    expect(judge(rule({ verbs: ["*", unknown] }))).toMatchObject([{ kind: "violation", path: "rules[0].verbs" }]);
    expect(judge(rbac("Role", { rules: unknown }))).toMatchObject([{ kind: "unjudged", path: "rules" }]);
    expect(judge(binding({ roleRef: unknown, subjects: unknown }))).toMatchObject([{ kind: "unjudged" }, { kind: "unjudged" }]);
  });
});

describe("role-trust", () => {
  const judge = (assumeRolePolicy: unknown) => judgeResource(roleTrust, role(assumeRolePolicy), settings);
  const at = "assumeRolePolicy.Statement[0]";

  it("lets a role pass that trusts one service account, or a service of AWS", () => {
    expect(judge(trust(statement()))).toEqual([]);
    expect(judge(trust(statement({ Principal: { Service: "eks.amazonaws.com" }, Condition: undefined })))).toEqual([]);
    expect(judge(trust(statement(), { Effect: "Deny", Principal: "*" }))).toEqual([]);
    expect(judge(JSON.stringify({ Statement: statement() }))).toEqual([]);
  });

  it("wants a workload's role to have a name by which the other rules know it", () => {
    const named = (name: unknown) => judgeResource(roleTrust, resource("aws:iam/role:Role", { name, assumeRolePolicy: trust(statement()) }), settings);
    for (const name of ["reporting-writer", undefined]) expect(named(name)).toMatchObject([{ kind: "violation", path: "name" }]);
    expect(judgeResource(roleTrust, resource("aws:iam/role:Role", { name: "reporting-writer", assumeRolePolicy: trust({ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "pods.eks.amazonaws.com" } }) }), settings)).toMatchObject([{ kind: "violation", path: "name" }]);
    expect(named(unknown)).toMatchObject([{ kind: "unjudged", path: "name" }]);
  });

  it.each<readonly [string, unknown, string]>([
    ["no trust policy", null, "assumeRolePolicy"],
    ["what is no JSON", "{", "assumeRolePolicy"],
    ["no statement", trust(), "assumeRolePolicy"],
    ["anybody", trust(statement({ Principal: "*" })), `${at}.Principal`],
    ["anybody of AWS", trust(statement({ Principal: { AWS: ["*"] } })), `${at}.Principal`],
    ["one statement for anybody, and no list", JSON.stringify({ Statement: statement({ Principal: "*" }) }), "assumeRolePolicy.Statement.Principal"],
    ["somebody of the account beside the service account", trust(statement(), { Effect: "Allow", Action: "sts:AssumeRole", Principal: { AWS: "arn:aws:iam::111122223333:root" } }), "assumeRolePolicy.Statement[1].Principal"],
    ["no principal", trust(statement({ Principal: undefined })), `${at}.Principal`],
    ["no condition", trust(statement({ Condition: undefined })), `${at}.Condition`],
    ["a pattern for the account", trust(statement({ Condition: { StringLike: claims().StringEquals } })), `${at}.Condition`],
    ["a star for the account", trust(statement({ Condition: claims("system:serviceaccount:blackroad-dr:*") })), `${at}.Condition`],
    ["two accounts", trust(statement({ Condition: claims([subject, "system:serviceaccount:default:default"]) })), `${at}.Condition`],
    ["what is no service account", trust(statement({ Condition: claims("repo:blackroad/dr") })), `${at}.Condition`],
    ["any audience", trust(statement({ Condition: { StringEquals: { "issuer:sub": subject } } })), `${at}.Condition`],
  ])("catches %s", (_, policy, path) => {
    expect(judge(policy)).toMatchObject([{ kind: "violation", path, message: expect.stringContaining(roleTrust.fix) as unknown }]);
  });

  it("says what it could not judge before `up`", () => {
    expect(judge(unknown)).toMatchObject([{ kind: "unjudged", path: "assumeRolePolicy" }]);
    expect(judge({ Statement: [statement({ Principal: unknown })] })).toMatchObject([{ kind: "unjudged", path: `${at}.Principal` }]);
    expect(judge({ Statement: [statement({ Condition: unknown })] })).toMatchObject([{ kind: "unjudged", path: `${at}.Condition` }]);
    expect(judge({ Statement: [statement({ Condition: claims(unknown) })] })).toMatchObject([{ kind: "unjudged", path: `${at}.Condition` }]);
  });
});

describe("service-account-role", () => {
  const judge = (...resources: readonly ResourceFacts[]) => judgeStack(serviceAccountRole, resources, settings);
  const path = `metadata.annotations.${arnKey}`;
  const named = (metadata: Props) => account({ metadata: { name: "pg", namespace: "blackroad-dr", annotations: { [arnKey]: roleArn }, ...metadata } });
  const computed = account({ metadata: { name: "pg", namespace: "blackroad-dr", annotations: { [arnKey]: unknown } } }, { propertyDependencies: { metadata: [role().urn] } });

  it("lets an account pass whose role trusts it, told by the ARN or by what the ARN comes from", () => {
    expect(judge(account(), role())).toEqual([]);
    expect(judge(computed, role())).toEqual([]);
    expect(judge(named({ annotations: {} }))).toEqual([]);
  });

  it.each<readonly [string, readonly ResourceFacts[]]>([
    ["another account", [named({ name: "other" }), role()]],
    ["an account of another namespace", [named({ namespace: "elsewhere" }), role()]],
    ["a role that trusts another", [computed, role(trust(statement({ Condition: claims("system:serviceaccount:default:default") })))]],
    ["a role that trusts nobody", [account(), role(trust())]],
  ])("catches %s", (_, resources) => {
    expect(judge(...resources)).toMatchObject([{ kind: "violation", path, message: expect.stringContaining(serviceAccountRole.fix) as unknown }]);
  });

  it.each<readonly [string, readonly ResourceFacts[]]>([
    ["another stack's role", [account()]],
    ["a trust that is not known", [account(), role(unknown)]],
    ["an account that is not known", [account({ metadata: unknown }, { propertyDependencies: { metadata: [role().urn] } }), role()]],
    ["a role that is not known", [account({ metadata: { name: "pg", annotations: { [arnKey]: unknown } } }), role()]],
  ])("says that it could not judge %s", (_, resources) => {
    expect(judge(...resources)).toMatchObject([{ kind: "unjudged", path }]);
  });
});
