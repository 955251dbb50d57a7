import { unknown } from "../../../../policies/core/value.ts";
import { s3CustomerKey } from "../../../../policies/rules/objects/s3-customer-key.ts";
import { s3EncryptionPresent } from "../../../../policies/rules/objects/s3-encryption-present.ts";
import { s3KeepsContent } from "../../../../policies/rules/objects/s3-keeps-content.ts";
import { s3Logging } from "../../../../policies/rules/objects/s3-logging.ts";
import { s3LoggingPresent } from "../../../../policies/rules/objects/s3-logging-present.ts";
import { s3NoAcls } from "../../../../policies/rules/objects/s3-no-acls.ts";
import { s3ObjectLock } from "../../../../policies/rules/objects/s3-object-lock.ts";
import { s3ObjectLockEnabled } from "../../../../policies/rules/objects/s3-object-lock-enabled.ts";
import { s3ObjectLockPresent } from "../../../../policies/rules/objects/s3-object-lock-present.ts";
import { s3PublicAccessBlock } from "../../../../policies/rules/objects/s3-public-access-block.ts";
import { s3Satellites } from "../../../../policies/rules/objects/s3-satellites.ts";
import { s3SseCBlocked } from "../../../../policies/rules/objects/s3-sse-c-blocked.ts";
import { s3VersioningPresent } from "../../../../policies/rules/objects/s3-versioning-present.ts";
import { resource } from "../../../harness/policies.ts";
import { tryResource, tryStack } from "../cases.ts";

const backups = "blackroad-backups-dr";
const short = "blackroad-backups-dr-short";
const logs = "blackroad-access-logs-us-west-2";
const state = "blackroad-pulumi-state";
const lock = (bucket: unknown, mode: unknown, days: unknown) => ({ bucket, objectLockEnabled: "Enabled", rule: { defaultRetention: { mode, days } } });

tryResource(s3ObjectLock, {
  passes: { "a week": lock(backups, "COMPLIANCE", 7), "a day, where a day is kept": lock(short, "COMPLIANCE", 1), "a year in years": { bucket: backups, rule: { defaultRetention: { mode: "COMPLIANCE", years: 1 } } }, "an unknown bucket whose lock would do for any": lock(unknown, "COMPLIANCE", 7) },
  fails: {
    "too few days": lock(backups, "COMPLIANCE", 6), "a day in a bucket that nobody named": lock("other", "COMPLIANCE", 1), "no days": lock(backups, "COMPLIANCE", undefined), "a mode that can be lifted": lock(backups, "GOVERNANCE", 7),
    "no mode": lock(backups, undefined, 7), "a lock without a rule": { bucket: backups, objectLockEnabled: "Enabled" }, "logs, which S3 then does not deliver": lock(logs, "COMPLIANCE", 7), "state": lock(state, "COMPLIANCE", 7), "a lock that is off": { ...lock(backups, "COMPLIANCE", 7), objectLockEnabled: "Disabled" },
  },
  unjudged: { "unknown days": lock(backups, "COMPLIANCE", unknown), "an unknown mode": lock(backups, unknown, 7), "an unknown rule": { bucket: backups, rule: unknown } },
});
tryResource(s3ObjectLock, { production: false, passes: { "a mode that can be lifted, outside production": lock(backups, "GOVERNANCE", 7) }, fails: { "no mode, outside production": lock(backups, undefined, 7) }, unjudged: {} });
tryResource(s3ObjectLockEnabled, {
  passes: { "backups with it": { bucket: backups, objectLockEnabled: true }, "logs without it": { bucket: logs, objectLockEnabled: false }, "state that says nothing": { bucket: state } },
  fails: { "backups without it": { bucket: backups, objectLockEnabled: false }, "backups that say nothing": { bucket: backups }, "logs with it": { bucket: logs, objectLockEnabled: true }, "a bucket without a name": {} },
  unjudged: { "an unknown switch": { bucket: backups, objectLockEnabled: unknown }, "an unknown bucket": { bucket: unknown, objectLockEnabled: true } },
});

const key = "arn:aws:kms:us-west-2:111122223333:alias/blackroad-backups";
const encrypted = (bucket: unknown, sseAlgorithm: unknown, kmsMasterKeyId?: unknown) => ({ bucket, rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm, kmsMasterKeyId } }] });
tryResource(s3CustomerKey, {
  passes: { "a key of our own": encrypted(backups, "aws:kms", key), "logs under SSE-S3": encrypted(logs, "AES256") },
  fails: { "SSE-S3": encrypted(backups, "AES256"), "AWS's key": encrypted(backups, "aws:kms", "alias/aws/s3"), "no key": encrypted(backups, "aws:kms"), "logs under a key": encrypted(logs, "aws:kms", key), "no rule": { bucket: backups }, "nothing in the rule": { bucket: backups, rules: [{}] } },
  unjudged: { "an unknown key": encrypted(backups, "aws:kms", unknown), "an unknown algorithm": encrypted(backups, unknown, key), "unknown rules": { bucket: backups, rules: unknown }, "an unknown bucket": encrypted(unknown, "aws:kms", key) },
});
tryResource(s3SseCBlocked, {
  passes: { "SSE-C among what is blocked": { rules: [{ blockedEncryptionTypes: ["SSE-C"] }] } },
  fails: { "nothing blocked": { rules: [{ blockedEncryptionTypes: ["NONE"] }] }, "a rule that says nothing": { rules: [{}] }, "no rule": {} },
  unjudged: { "unknown rules": { rules: unknown }, "unknown types": { rules: [{ blockedEncryptionTypes: unknown }] } },
});

const closed = { blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true };
tryResource(s3PublicAccessBlock, {
  passes: { "all four": closed },
  fails: { ...Object.fromEntries(Object.keys(closed).map((one) => [`${one} off`, { ...closed, [one]: false }])), "nothing set": {} },
  unjudged: { "an unknown switch": { ...closed, blockPublicAcls: unknown } },
});
tryResource(s3NoAcls, {
  passes: { "the owner": { rule: { objectOwnership: "BucketOwnerEnforced" } } },
  fails: { "whoever writes": { rule: { objectOwnership: "ObjectWriter" } }, "nothing set": {} },
  unjudged: { "an unknown rule": { rule: unknown } },
});
tryResource(s3NoAcls, { passes: {}, fails: { "an ACL of its own": { bucket: backups, acl: "public-read" } }, unjudged: {} }, "aws:s3/bucketAcl:BucketAcl");
tryResource(s3PublicAccessBlock, { passes: { "all four, of the account": closed }, fails: { "one off, of the account": { ...closed, blockPublicPolicy: false } }, unjudged: {} }, "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock");
tryResource(s3Satellites, {
  passes: { "nothing inline": { bucket: backups, objectLockEnabled: true } },
  fails: { "a public ACL": { bucket: backups, acl: "public-read" }, "a policy": { bucket: backups, policy: "{}" }, "a lifecycle": { bucket: backups, lifecycleRules: [{ enabled: true, expiration: { days: 1 } }] }, "versions that are off": { bucket: backups, versioning: { enabled: false } } },
  unjudged: { "an unknown policy": { bucket: backups, policy: unknown } },
});
tryResource(s3KeepsContent, { passes: { "nothing said": { bucket: backups } }, fails: { "what is in it goes too": { bucket: backups, forceDestroy: true }, "in words": { bucket: backups, forceDestroy: "true" } }, unjudged: { "an unknown switch": { bucket: backups, forceDestroy: unknown } } });
tryResource(s3KeepsContent, { production: false, passes: { "what is in it goes too, outside production": { bucket: backups, forceDestroy: true } }, fails: {}, unjudged: {} });
tryResource(s3Logging, {
  passes: { "the region's": { region: "us-west-2", targetBucket: logs } },
  fails: { "another region's": { region: "eu-west-1", targetBucket: logs }, "the bucket of the backups": { region: "us-west-2", targetBucket: backups }, "nothing set": {} },
  unjudged: { "an unknown target": { region: "us-west-2", targetBucket: unknown } },
});

const bucket = (name: unknown) => resource("aws:s3/bucket:Bucket", { bucket: name }, { name: "bucket" });
const beside = (type: string, name: unknown, from: readonly string[] = []) => resource(type, { bucket: name }, { propertyDependencies: { bucket: from } });
for (const [rule, type] of [[s3VersioningPresent, "aws:s3/bucketVersioning:BucketVersioning"], [s3EncryptionPresent, "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"]] as const) {
  tryStack(rule, {
    passes: { "one by its name": [bucket(backups), beside(type, backups)], "one whose name only an `up` tells": [bucket(backups), beside(type, unknown, [bucket(backups).urn])] },
    fails: { "none": [bucket(backups)], "another bucket's": [bucket(backups), beside(type, short)], "one of an unknown name that comes from elsewhere": [bucket(backups), beside(type, unknown)], "a bucket that nobody named": [bucket("other")], "a bucket whose name is not known": [bucket(unknown)] },
    unjudged: {},
  });
}
tryStack(s3ObjectLockPresent, { passes: { "logs and state without": [bucket(logs), bucket(state)] }, fails: { "backups without": [bucket(backups)] }, unjudged: { "a bucket whose name is not known": [bucket(unknown)] } });
tryStack(s3LoggingPresent, { passes: { "the logs themselves": [bucket(logs)] }, fails: { "backups without": [bucket(backups)], "state without": [bucket(state)] }, unjudged: {} });
