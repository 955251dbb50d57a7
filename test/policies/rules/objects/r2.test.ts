import { describe, expect, it } from "vitest";
import { judgeResource } from "../../../../policies/core/judge.ts";
import { escrowPrefix, prefixesOf } from "../../../../plan/layout.ts";
import { blackroad } from "../../../../plan/blackroad.ts";
import { backendOf } from "../../../../plan/find.ts";
import { unknown } from "../../../../policies/core/value.ts";
import { r2AbortMultipart } from "../../../../policies/rules/objects/r2-abort-multipart.ts";
import { r2Lifecycle } from "../../../../policies/rules/objects/r2-lifecycle.ts";
import { r2Lock } from "../../../../policies/rules/objects/r2-lock.ts";
import { r2LockPresent } from "../../../../policies/rules/objects/r2-lock-present.ts";
import { r2NoPublicDomain } from "../../../../policies/rules/objects/r2-no-public-domain.ts";
import { r2TokenExpires } from "../../../../policies/rules/objects/r2-token-expires.ts";
import { r2TokenScoped } from "../../../../policies/rules/objects/r2-token-scoped.ts";
import { resource } from "../../../harness/policies.ts";
import { tryResource, tryStack } from "../cases.ts";

const bucketName = "blackroad-backups";
const r2 = backendOf(blackroad, "r2");
if (r2 === undefined) throw new Error("the plan has no R2");

interface Lock {
  readonly prefix: unknown;
  readonly enabled: unknown;
  readonly condition: unknown;
}
const aged = (prefix: unknown, maxAgeSeconds: unknown): Lock => ({ prefix, enabled: true, condition: { type: "Age", maxAgeSeconds } });
const full: readonly Lock[] = [...prefixesOf(blackroad, r2).filter(({ writeOnce }) => writeOnce).map(({ prefix, lock }) => aged(prefix, lock)), { prefix: escrowPrefix, enabled: true, condition: { type: "Indefinite" } }];
const locks = (...rules: readonly unknown[]) => ({ bucketName, rules });
const but = (prefix: string, change: (rule: Lock) => readonly Lock[]) => locks(...full.flatMap((rule) => (rule.prefix === prefix ? change(rule) : [rule])));

tryResource(r2Lock, {
  passes: { "each prefix for the plan's time": locks(...full), "longer": but("catalog/", ({ prefix }) => [aged(prefix, 999_999)]), "all of it without end": locks({ enabled: true, condition: { type: "Indefinite" } }), "another system's bucket": { bucketName: "other", rules: [] } },
  fails: {
    "a prefix without": but("catalog/", () => []), "WAL without": but("pgbackrest/archive/main/1", () => []), "one that is too short": but("catalog/", ({ prefix }) => [aged(prefix, 604_799)]), "one that is off": but("catalog/", (rule) => [{ ...rule, enabled: false }]), "one that says nothing": but("catalog/", ({ prefix, condition }) => [{ prefix, enabled: undefined, condition }]),
    "a date": but("catalog/", (rule) => [{ ...rule, condition: { type: "Date", date: "2030-01-01T00:00:00Z" } }]), "an escrow that ends": but(escrowPrefix, ({ prefix }) => [aged(prefix, 604_800)]), "no rule": { bucketName }, "a narrower prefix": but("catalog/", () => [aged("catalog/2026/", 604_800)]),
  },
  unjudged: { "unknown rules": { bucketName, rules: unknown }, "an unknown age": but("catalog/", ({ prefix }) => [aged(prefix, unknown)]), "an unknown prefix": but("catalog/", () => [aged(unknown, 604_800)]), "an unknown switch": but("catalog/", (rule) => [{ ...rule, enabled: unknown }]) },
});
const expire = (prefix: unknown, maxAge: unknown, more: object = {}) => ({ bucketName, rules: [{ enabled: true, conditions: { prefix }, deleteObjectsTransition: { condition: { type: "Age", maxAge } }, ...more }] });
tryResource(r2Lifecycle, {
  passes: { "after 90 days": expire("redis/", 7_776_000), "a rule that is off": expire("redis/", 60, { enabled: false }), "uploads alone": expire("", 60, { deleteObjectsTransition: undefined }), "another system's bucket": { ...expire("", 60), bucketName: "other" } },
  fails: { "before the retention's end": expire("redis/", 7_775_999), "before the lock's end": expire("agents/", 3_600), "the whole bucket": expire("", 99_999_999), "pgBackRest's files": expire("pgbackrest/backup/main/", 99_999_999), "the escrow": expire(escrowPrefix, 99_999_999), "a mirror": expire("objects/", 99_999_999), "no age": expire("redis/", undefined), "a date": expire("redis/", undefined, { deleteObjectsTransition: { condition: { type: "Date", date: "2030-01-01" } } }) },
  unjudged: { "an unknown age": expire("redis/", unknown), "unknown rules": { bucketName, rules: unknown }, "an unknown bucket": { ...expire("redis/", 7_776_000), bucketName: unknown } },
});
const abort = (maxAge: unknown, prefix: unknown = "", enabled: unknown = true) => ({ bucketName, rules: [{ enabled, conditions: { prefix }, abortMultipartUploadsTransition: { condition: { type: "Age", maxAge } } }] });
tryResource(r2AbortMultipart, {
  passes: { "a day": abort(86_400), "another system's bucket": { bucketName: "other" } },
  fails: { "within a run": abort(60), "late": abort(6_048_000), "never": abort(undefined), "one prefix": abort(86_400, "redis/"), "a rule that is off": abort(86_400, "", false), "no rule": { bucketName } },
  unjudged: { "an unknown age": abort(unknown), "an unknown prefix": abort(86_400, unknown), "an unknown switch": abort(86_400, "", unknown), "unknown rules": { bucketName, rules: unknown } },
});
for (const type of r2NoPublicDomain.types) tryResource(r2NoPublicDomain, { passes: { [`none (${type})`]: { enabled: false } }, fails: { [`one (${type})`]: { enabled: true }, [`nothing set (${type})`]: {} }, unjudged: { [`an unknown one (${type})`]: { enabled: unknown } } }, type);

const one = `com.cloudflare.edge.r2.bucket.0123456789abcdef0123456789abcdef_default_${bucketName}`;
const token = (resources: unknown, permissionGroups: unknown = [{ id: unknown }], effect: unknown = "allow") => ({ policies: [{ effect, permissionGroups, resources }] });
tryResource(r2TokenScoped, {
  passes: { "one bucket": token(JSON.stringify({ [one]: "*" })) },
  fails: { "the account": token(JSON.stringify({ "com.cloudflare.api.account.0123456789abcdef0123456789abcdef": "*" })), "one bucket and the account": token(JSON.stringify({ [one]: "*", "com.cloudflare.api.account.*": "*" })), "another's bucket": token(JSON.stringify({ [`${one}-2`]: "*" })), "nothing": token("{}"), "no JSON": token("{"), "not set": token(undefined), "two groups": token(JSON.stringify({ [one]: "*" }), [{ id: "a" }, { id: "b" }]), "no effect": token(JSON.stringify({ [one]: "*" }), undefined, null), "no policy": {} },
  unjudged: { "unknown resources": token(unknown), "unknown policies": { policies: unknown } },
});
tryResource(r2TokenExpires, { passes: { "a time": { expiresOn: "2027-02-28T00:00:00Z" } }, fails: { "never": {}, "no time": { expiresOn: "soon" } }, unjudged: { "an unknown time": { expiresOn: unknown } } });
const bucket = resource("cloudflare:index/r2Bucket:R2Bucket", { name: bucketName }, { name: "bucket" });
const lock = (name: unknown, from: readonly string[] = []) => resource("cloudflare:index/r2BucketLock:R2BucketLock", { bucketName: name }, { propertyDependencies: { bucketName: from } });
tryStack(r2LockPresent, { passes: { "one by its name": [bucket, lock(bucketName)], "one whose name only an `up` tells": [bucket, lock(unknown, [bucket.urn])] }, fails: { "none": [bucket], "another's": [bucket, lock("other")] }, unjudged: {} });

describe("r2-token-expires, at a time", () => {
  const until = (expiresOn: string) => judgeResource(r2TokenExpires, resource("cloudflare:index/accountToken:AccountToken", { expiresOn }), { plan: blackroad, production: true, now: new Date("2026-11-23T00:00:00Z") }).map(({ kind }) => kind);
  it("lets a year pass, and no token that is there for ever by its date", () => {
    expect(until("2027-11-30T00:00:00Z")).toEqual([]);
    expect(until("2999-12-31T00:00:00Z")).toEqual(["violation"]);
  });
});
