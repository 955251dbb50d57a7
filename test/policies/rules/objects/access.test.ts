import { unknown } from "../../../../policies/core/value.ts";
import { glacierClosed } from "../../../../policies/rules/objects/glacier-closed.ts";
import { glacierLock } from "../../../../policies/rules/objects/glacier-lock.ts";
import { glacierLockPresent } from "../../../../policies/rules/objects/glacier-lock-present.ts";
import { noWildcardDoors } from "../../../../policies/rules/objects/no-wildcard-doors.ts";
import { noWildcardPrincipal } from "../../../../policies/rules/objects/no-wildcard-principal.ts";
import { tlsOnly } from "../../../../policies/rules/objects/tls-only.ts";
import { versionsDenied } from "../../../../policies/rules/objects/versions-denied.ts";
import { workloadKeepsVersions } from "../../../../policies/rules/objects/workload-keeps-versions.ts";
import { workloadOwnPolicy } from "../../../../policies/rules/objects/workload-own-policy.ts";
import { resource } from "../../../harness/policies.ts";
import { tryResource, tryStack } from "../cases.ts";

const bucket = "blackroad-backups-dr";
const arn = `arn:aws:s3:::${bucket}`;
const root = "arn:aws:iam::111122223333:root";
const text = (...Statement: readonly object[]) => JSON.stringify({ Version: "2012-10-17", Statement });
const policy = (...statements: readonly object[]) => ({ bucket, policy: text(...statements) });
const missing = { "no policy": { bucket }, "no JSON": { bucket, policy: "{" }, "no statement": { bucket, policy: "{}" } };
const unread = { "an unknown policy": { bucket, policy: unknown }, "an unknown statement": { bucket, policy: { Statement: [unknown] } } };

const tls = (more: object = {}) => ({ Effect: "Deny", Principal: "*", Action: "s3:*", Resource: [arn, `${arn}/*`], Condition: { Bool: { "aws:SecureTransport": "false" } }, ...more });
tryResource(tlsOnly, {
  passes: { "a denial of all": policy(tls()), "one for everybody of AWS, and no list": policy(tls({ Principal: { AWS: "*" }, Action: ["*"], Resource: "*" })) },
  fails: {
    ...missing, "another effect": policy(tls({ Effect: "Allow" })), "a denial for one": policy(tls({ Principal: { AWS: root } })), "a denial of one action": policy(tls({ Action: "s3:GetObject" })), "objects alone": policy(tls({ Resource: `${arn}/*` })), "objects of one letter": policy(tls({ Resource: [arn, `${arn}/?`] })), "actions of one letter": policy(tls({ Action: "s3:?" })), "every service of AWS, and nobody else": policy(tls({ Principal: { Service: "*" } })), "an element that AWS does not know": policy(tls(), { effect: "Allow" }), "a second statement without an effect": policy(tls(), { Sid: "x" }),
    "no condition": policy(tls({ Condition: undefined })), "a narrower condition": policy(tls({ Condition: { Bool: { "aws:SecureTransport": "false" }, IpAddress: { "aws:SourceIp": "192.0.2.1" } } })), "the wrong way round": policy(tls({ Condition: { Bool: { "aws:SecureTransport": "true" } } })),
  },
  unjudged: { ...unread, "an unknown bucket": { ...policy(tls()), bucket: unknown } },
});
const vaultArn = "arn:aws:glacier:eu-west-1:111122223333:vaults/blackroad-archive";
tryResource(tlsOnly, {
  passes: { "a vault that denies": { name: "blackroad-archive", accessPolicy: text(tls({ Action: "glacier:*", Resource: vaultArn })) } },
  fails: { "a vault without a policy": { name: "blackroad-archive" }, "a vault whose policy is about another": { name: "blackroad-archive", accessPolicy: text(tls({ Action: "glacier:*", Resource: `${vaultArn}-2` })) } },
  unjudged: { "an unknown policy of a vault": { name: "blackroad-archive", accessPolicy: unknown } },
}, "aws:glacier/vault:Vault");
tryResource(noWildcardPrincipal, {
  passes: { "an account": policy({ Effect: "Allow", Principal: { AWS: root }, Action: "s3:GetObject" }), "a denial for everybody": policy(tls()) },
  fails: { ...missing, "everybody": policy({ Effect: "Allow", Principal: "*", Action: "s3:GetObject" }), "everybody on a condition": policy({ Effect: "Allow", Principal: { AWS: ["*"] }, Action: "s3:GetObject", Condition: { Bool: { "aws:SecureTransport": "true" } } }), "everybody but one": policy({ Effect: "Allow", NotPrincipal: { AWS: root }, Action: "s3:GetObject" }), "one statement without a list": { bucket, policy: JSON.stringify({ Statement: { Effect: "Allow", Principal: "*" } }) }, "everybody, of whom the rest is not known": { bucket, policy: { Statement: [{ Effect: "Allow", Principal: { AWS: [unknown, "*"] }, Action: "s3:GetObject", Resource: unknown }] } }, "any role of any account": policy({ Effect: "Allow", Principal: { AWS: "arn:aws:iam::*:root" }, Action: "s3:GetObject" }) },
  unjudged: unread,
});

tryResource(noWildcardDoors, {
  passes: { "no policy": {}, "an account": policy({ Effect: "Allow", Principal: { AWS: root }, Action: "s3:GetObject" }) },
  fails: { "everybody": policy({ Effect: "Allow", Principal: "*", Action: "s3:GetObject" }), "everybody but one": policy({ Effect: "Allow", NotPrincipal: { AWS: root }, Action: "s3:GetObject" }), "no JSON": { policy: "{" } },
  unjudged: unread,
});

const versions = (more: object = {}) => ({ Effect: "Deny", Principal: "*", Action: ["s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"], Resource: `${arn}/*`, ...more });
const except = (role: string) => ({ Condition: { ArnNotLike: { "aws:PrincipalArn": [`arn:aws:iam::111122223333:role/${role}`] } } });
tryResource(versionsDenied, {
  passes: { "a denial for all": policy(versions()), "one with an exception for people": policy(versions(except("BreakGlass"))) },
  fails: { ...missing, "no denial": policy(tls()), "one of both": policy(versions({ Action: "s3:DeleteObjectVersion" })), "an exception for a workload": policy(versions(except("blackroad-dr-postgres-us-east-1"))), "an exception for every role": policy(versions(except("*"))), "an exception for every role of Redis": policy(versions(except("*-redis-*"))), "an exception for one letter less": policy(versions(except("blackroad-d?-*"))), "an exception that says nobody": policy(versions({ Condition: { ArnNotLike: { "aws:PrincipalArn": [] } } })), "another condition": policy(versions({ Condition: { Bool: { "aws:SecureTransport": "false" } } })), "another bucket's objects": policy(versions({ Resource: "arn:aws:s3:::other/*" })) },
  unjudged: { ...unread, "an unknown bucket": { ...policy(versions()), bucket: unknown } },
});

const role = "blackroad-dr-postgres-us-west-2";
const may = (Action: unknown, of: unknown = role) => ({ role: of, policy: text({ Effect: "Allow", Action, Resource: "*" }) });
tryResource(workloadKeepsVersions, {
  passes: { "what pgBackRest needs": may(["s3:PutObject", "s3:DeleteObject"]), "people": may("s3:*", "BreakGlass") },
  fails: { "deletion of versions": may("s3:DeleteObjectVersion"), "the lifting of locks": may("s3:BypassGovernance*"), "everything": may("*"), "a role that is not known": may("s3:*", unknown), "all but": { role, policy: text({ Effect: "Allow", NotAction: "s3:GetObject", Resource: "*" }) }, "no policy": { role } },
  unjudged: { "an unknown policy": { role, policy: unknown } },
});
tryResource(workloadOwnPolicy, {
  passes: { "what a node needs": { role, policyArn: "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy" }, "people's": { role: "BreakGlass", policyArn: "arn:aws:iam::aws:policy/AdministratorAccess" } },
  fails: { "AWS's own for S3": { role, policyArn: "arn:aws:iam::aws:policy/AmazonS3FullAccess" }, "one of ours that stands elsewhere": { role, policyArn: "arn:aws:iam::111122223333:policy/more" }, "none": { role }, "a role that is not known": { role: unknown, policyArn: "arn:aws:iam::aws:policy/AdministratorAccess" } },
  unjudged: { "an unknown policy": { role, policyArn: unknown } },
});

tryResource(workloadOwnPolicy, {
  passes: { "a role that says nothing of it": { name: role }, "an empty list": { name: role, managedPolicyArns: [] } },
  fails: { "AWS's own on the role": { name: role, managedPolicyArns: ["arn:aws:iam::aws:policy/AmazonS3FullAccess"] }, "a policy on the role": { name: role, inlinePolicies: [{ name: "more", policy: text({ Effect: "Allow", Action: "s3:*", Resource: "*" }) }] } },
  unjudged: { "unknown policies": { name: role, managedPolicyArns: unknown } },
}, "aws:iam/role:Role");

const young = (age: string, more: object = {}) => text({ Effect: "Deny", Principal: "*", Action: "glacier:DeleteArchive", Resource: vaultArn, Condition: { NumericLessThan: { "glacier:ArchiveAgeInDays": age } }, ...more });
const own = { vaultName: "blackroad-archive" };
tryResource(glacierLock, {
  passes: { "its own vault": { ...own, completeLock: true, policy: young("90") }, "90 days, completed": { completeLock: true, policy: young("90") }, "no deletion at all": { completeLock: true, policy: young("1", { Condition: undefined }) } },
  fails: { "a lock that lapses": { completeLock: false, policy: young("90") }, "nothing said": { policy: young("90") }, "fewer days": { completeLock: true, policy: young("89") }, "a denial for one": { completeLock: true, policy: young("90", { Principal: { AWS: root } }) }, "another action": { completeLock: true, policy: young("90", { Action: "glacier:UploadArchive" }) }, "another vault": { ...own, completeLock: true, policy: young("90", { Resource: `${vaultArn}-2` }) }, "no policy": { completeLock: true } },
  unjudged: { "an unknown policy": { completeLock: true, policy: unknown }, "an unknown completion": { completeLock: unknown, policy: young("90") }, "an unknown vault": { vaultName: unknown, completeLock: true, policy: young("90") } },
});
tryResource(glacierLock, { production: false, passes: { "a lock that lapses, outside production": { completeLock: false, policy: young("90") } }, fails: { "nothing said, outside production": { policy: young("90") } }, unjudged: {} });
tryResource(glacierClosed, { passes: {}, fails: { "any vault": { name: "blackroad-archive" } }, unjudged: {} });
const vault = resource("aws:glacier/vault:Vault", { name: "blackroad-archive" }, { name: "vault" });
tryStack(glacierLockPresent, {
  passes: { "one by its name": [vault, resource("aws:glacier/vaultLock:VaultLock", { vaultName: "blackroad-archive" })], "one whose name only an `up` tells": [vault, resource("aws:glacier/vaultLock:VaultLock", { vaultName: unknown }, { propertyDependencies: { vaultName: [vault.urn] } })] },
  fails: { "none": [vault], "another's": [vault, resource("aws:glacier/vaultLock:VaultLock", { vaultName: "other" })] },
  unjudged: {},
});
