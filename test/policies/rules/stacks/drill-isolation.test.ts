import { expect, it } from "vitest";
import { blackroad as plan } from "../../../../plan/blackroad.ts";
import { judgeStack } from "../../../../policies/core/judge.ts";
import type { ResourceFacts } from "../../../../policies/core/resource.ts";
import { unknown } from "../../../../policies/core/value.ts";
import { drillIsolation } from "../../../../policies/rules/stacks/drill-isolation.ts";
import { resource } from "../../../harness/policies.ts";

const environment = resource("blackroad:drill:RecoveryEnvironment", {}, { name: "recovery" });
const judge = (one: ResourceFacts, isDrill = true) => judgeStack(drillIsolation, isDrill ? [environment, one] : [one], { plan, production: false }).map(({ kind, path }) => `${kind} ${path}`);
const policy = (...actions: readonly string[]) => resource("aws:iam/rolePolicy:RolePolicy", { policy: JSON.stringify({ Statement: [{ Effect: "Allow", Action: actions }, { Effect: "Deny", Action: ["s3:*"] }] }) });
const seal = (alias: string, ...Action: readonly string[]) => resource("aws:iam/rolePolicy:RolePolicy", { policy: JSON.stringify({ Statement: [{ Effect: "Allow", Action, Resource: "*", Condition: { "ForAnyValue:StringEquals": { "kms:ResourceAliases": [alias] } } }] }) });
const file = (name: string, text: unknown) => resource("kubernetes:core/v1:ConfigMap", { data: { [name]: text } });
const secret = (name: unknown) => resource("kubernetes:core/v1:Secret", { metadata: { name } });
const job = (activeDeadlineSeconds: unknown) => resource("kubernetes:batch/v1:Job", { spec: { activeDeadlineSeconds } });
const namespace = (at: unknown) => resource("kubernetes:core/v1:Namespace", { metadata: { name: "dr-drill-20261122-4f2a", annotations: { "dr.blackroad/expires-at": at } } });

it.each<readonly [string, ResourceFacts, readonly string[]]>([
  ["a key that reads", policy("s3:GetObject", "kms:Decrypt", "glacier:InitiateJob"), []],
  ["a key that writes", policy("s3:GetObject", "s3:PutObject"), ["violation policy.Statement[0].Action"]],
  ["a key that deletes", policy("s3:Delete*"), ["violation policy.Statement[0].Action"]],
  ["a key that opens Vault", seal("alias/blackroad-vault-seal", "kms:Decrypt", "kms:Encrypt"), []],
  ["a key that encrypts backups", seal("alias/blackroad-backups", "kms:Encrypt"), ["violation policy.Statement[0].Action"]],
  ["a key that encrypts whatever it likes", policy("kms:Encrypt"), ["violation policy.Statement[0].Action"]],
  ["Vault's key and its deletion", seal("alias/blackroad-vault-seal", "kms:*"), ["violation policy.Statement[0].Action"]],
  ["a key that writes by a pattern", policy("s3:P*"), ["violation policy.Statement[0].Action"]],
  ["a key that writes by one letter", policy("s3:?utObject"), ["violation policy.Statement[0].Action"]],
  ["a key to all but reading", resource("aws:iam/rolePolicy:RolePolicy", { policy: JSON.stringify({ Statement: [{ Effect: "Allow", NotAction: "s3:GetObject", Resource: "*" }] }) }), ["violation policy.Statement[0].NotAction"]],
  ["a key that writes, in one statement without a list", resource("aws:iam/rolePolicy:RolePolicy", { policy: JSON.stringify({ Statement: { Effect: "Allow", Action: "s3:PutObject", Resource: "*" } }) }), ["violation policy.Statement.Action"]],
  ["a user's key that writes", resource("aws:iam/userPolicy:UserPolicy", { policy: JSON.stringify({ Statement: [{ Effect: "Allow", Action: "s3:PutObject", Resource: "*" }] }) }), ["violation policy.Statement[0].Action"]],
  ["a key to everything", policy("*"), ["violation policy.Statement[0].Action"]],
  ["no policy", resource("aws:iam/rolePolicy:RolePolicy", {}), ["violation policy"]],
  ["a policy that is not known", resource("aws:iam/rolePolicy:RolePolicy", { policy: unknown }), ["unjudged policy"]],
  ["dr that reads", file("dr.json", '{"readOnly":true}'), []],
  ["dr that writes", file("dr.json", '{"readOnly":false}'), ["violation data.dr.json.readOnly"]],
  ["dr that is not told", file("dr.json", "{}"), ["violation data.dr.json.readOnly"]],
  ["dr with no configuration", file("dr.json", "{"), ["violation data.dr.json"]],
  ["dr that is not known", file("dr.json", unknown), ["unjudged data.dr.json"]],
  ["a database that does not archive", file("patroni-pg-0.yml", "postgresql: {parameters: {archive_mode: 'off'}}"), []],
  ["a database that archives", file("patroni-pg-0.yml", "postgresql: {parameters: {archive_mode: 'on'}}"), ["violation data.patroni-pg-0.yml.postgresql.parameters.archive_mode"]],
  ["a secret that reads", secret("dr-secret-r2-reader"), []],
  ["a secret that writes", secret("dr-secret-r2-writer"), ["violation metadata.name"]],
  ["a recovery with an end", job(7_200), []],
  ["a recovery without end", job(undefined), ["violation spec.activeDeadlineSeconds"]],
  ["a place with an end", namespace("2026-11-22T23:00:00Z"), []],
  ["a recovery with an end next year", job(31_536_000), ["violation spec.activeDeadlineSeconds"]],
  ["a place with an end next year", resource("kubernetes:core/v1:Namespace", { metadata: { name: "dr-drill-20261122-4f2a", annotations: { "dr.blackroad/expires-at": "2027-11-22T23:00:00Z" } } }), ["violation metadata.annotations.dr.blackroad/expires-at"]],
  ["a place that is gone the next day", resource("kubernetes:core/v1:Namespace", { metadata: { name: "dr-drill-20261122-4f2a", annotations: { "dr.blackroad/expires-at": "2026-11-23T23:00:00Z" } } }), []],
  ["a place that does not say when it began", resource("kubernetes:core/v1:Namespace", { metadata: { name: "blackroad-dr", annotations: { "dr.blackroad/expires-at": "2026-11-22T23:00:00Z" } } }), ["violation metadata.name"]],
  ["a place without end", namespace(undefined), ["violation metadata.annotations.dr.blackroad/expires-at"]],
  ["a place whose end is not known", namespace(unknown), ["unjudged metadata.annotations.dr.blackroad/expires-at"]],
  ["a name that clients use", resource("cloudflare:index/loadBalancer:LoadBalancer", {}), ["violation "]],
  ["a record", resource("aws:route53/record:Record", {}), ["violation "]],
  ["a job that backs up", resource("kubernetes:batch/v1:CronJob", {}), ["violation "]],
  ["servers that stay", resource("kubernetes:apps/v1:StatefulSet", {}), ["violation "]],
  ["a volume that stays", resource("kubernetes:core/v1:PersistentVolumeClaim", {}), ["violation "]],
  ["a bucket", resource("aws:s3/bucket:Bucket", {}), ["violation "]],
  ["a token", resource("cloudflare:index/accountToken:AccountToken", {}), ["violation "]],
  ["what cannot be taken down", resource("random:index/randomId:RandomId", {}, { protect: true }), ["violation "]],
])("judges in a drill %s, and leaves it alone elsewhere", (_, one, expected) => {
  expect(judge(one)).toEqual(expected);
  expect(judge(one, false)).toEqual([]);
});
