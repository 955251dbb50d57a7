import { unknown } from "../../../../policies/core/value.ts";
import { s3AbortMultipart } from "../../../../policies/rules/objects/s3-abort-multipart.ts";
import { s3LifecycleRetention } from "../../../../policies/rules/objects/s3-lifecycle-retention.ts";
import { s3LifecycleVersions } from "../../../../policies/rules/objects/s3-lifecycle-versions.ts";
import { s3ReplicationEnabled } from "../../../../policies/rules/objects/s3-replication-enabled.ts";
import { s3ReplicationKmsObjects } from "../../../../policies/rules/objects/s3-replication-kms-objects.ts";
import { s3ReplicationNoDeleteMarkers } from "../../../../policies/rules/objects/s3-replication-no-delete-markers.ts";
import { s3ReplicationPresent } from "../../../../policies/rules/objects/s3-replication-present.ts";
import { s3ReplicationRegion } from "../../../../policies/rules/objects/s3-replication-region.ts";
import { s3ReplicationTime } from "../../../../policies/rules/objects/s3-replication-time.ts";
import { s3ReplicationWholeBucket } from "../../../../policies/rules/objects/s3-replication-whole-bucket.ts";
import { resource } from "../../../harness/policies.ts";
import { tryResource, tryStack } from "../cases.ts";

const backups = "blackroad-backups-dr";
const short = "blackroad-backups-dr-short";
const replica = "blackroad-backups-dr-replica";
const state = "blackroad-pulumi-state";
const logs = "blackroad-access-logs-us-west-2";
const rule = (bucket: unknown, prefix: unknown, more: object) => ({ bucket, rules: [{ status: "Enabled", filter: { prefix }, ...more }] });
const expire = (bucket: unknown, prefix: unknown, days: unknown) => rule(bucket, prefix, { expiration: { days } });
const wal = "pgbackrest/archive/main/1";

tryResource(s3LifecycleRetention, {
  passes: { "what is kept for 90 days": expire(backups, "redis/", 97), "a day's, where a day is kept": expire(short, "redis/", 8), "WAL of a replica after twice its time": expire(replica, wal, 180), "logs after 90 days": expire(logs, "", 90), "a rule that is off": { bucket: backups, rules: [{ status: "Disabled", filter: {}, expiration: { days: 1 } }] }, "markers alone": rule(backups, "", { expiration: { expiredObjectDeleteMarker: true } }), "no rule": { bucket: backups } },
  fails: {
    "WAL": expire(backups, wal, 3650), "WAL by a longer prefix": expire(backups, `${wal}5-1/`, 3650), "WAL of a replica too early": expire(replica, wal, 179), "the whole bucket": expire(backups, "", 3650), "a mirror": expire(backups, "objects/", 3650), "the escrow": expire(backups, "escrow/", 3650), "what is kept for longer": expire(backups, "redis/", 89),
    "state": expire(state, "", 3650), "a bucket that nobody named": expire("other", "", 3650), "logs too early": expire(logs, "", 89), "a date": rule(backups, "redis/", { expiration: { date: "2027-01-01T00:00:00Z" } }), "no filter": { bucket: backups, rules: [{ status: "Enabled", expiration: { days: 97 } }] }, "an unknown prefix, which may be WAL's": expire(backups, unknown, 97),
  },
  unjudged: { "an unknown age": expire(backups, "redis/", unknown), "unknown rules": { bucket: backups, rules: unknown }, "an unknown bucket": expire(unknown, "redis/", 97) },
});
const older = (bucket: unknown, prefix: unknown, noncurrentDays: unknown) => rule(bucket, prefix, { noncurrentVersionExpiration: { noncurrentDays } });
tryResource(s3LifecycleVersions, {
  passes: { "a week": older(backups, "redis/", 7), "a day, where the lock is one": older(short, "redis/", 1), "a mirror's history": older(backups, "objects/", 90), "none that goes": rule(backups, "", {}) },
  fails: { "less than the lock": older(backups, "redis/", 6), "a mirror's history too early": older(backups, "objects/", 7), "the whole bucket, with the mirror in it": older(backups, "", 7), "no days": rule(backups, "redis/", { noncurrentVersionExpiration: {} }), "state": older(state, "", 6) },
  unjudged: { "unknown days": older(backups, "redis/", unknown), "unknown rules": { bucket: backups, rules: unknown }, "an unknown bucket": older(unknown, "redis/", 7) },
});
const abort = (daysAfterInitiation: unknown, more: object = {}) => ({ rules: [{ status: "Enabled", filter: {}, abortIncompleteMultipartUpload: { daysAfterInitiation }, ...more }] });
tryResource(s3AbortMultipart, {
  passes: { "a day": abort(1), "a week": abort(7) },
  fails: { "at once": abort(0), "late": abort(8), "never": abort(undefined), "what has a tag": abort(1, { filter: { tag: { key: "a", value: "b" } } }), "what is large": abort(1, { filter: { objectSizeGreaterThan: 1 } }), "one prefix": abort(1, { filter: { prefix: "redis/" } }), "a rule that is off": abort(1, { status: "Disabled" }), "no rule": {} },
  unjudged: { "an unknown age": abort(unknown), "an unknown filter": abort(1, { filter: unknown }), "an unknown status": abort(1, { status: unknown }), "unknown rules": { rules: unknown } },
});

const copy = (more: object) => ({ bucket: backups, region: "us-west-2", rules: [more] });
const none = { "no rule": { bucket: backups, region: "us-west-2" }, "a rule that says nothing": copy({}) };
const open = { "unknown rules": { bucket: backups, region: "us-west-2", rules: unknown } };
tryResource(s3ReplicationEnabled, { passes: { "on": copy({ status: "Enabled" }) }, fails: { ...none, "off": copy({ status: "Disabled" }) }, unjudged: { ...open, "an unknown status": copy({ status: unknown }) } });
const kms = (status: unknown) => copy({ sourceSelectionCriteria: { sseKmsEncryptedObjects: { status } } });
tryResource(s3ReplicationKmsObjects, { passes: { "selected": kms("Enabled") }, fails: { ...none, "left out": kms("Disabled") }, unjudged: { ...open, "an unknown status": kms(unknown) } });
const markers = (status: unknown) => copy({ deleteMarkerReplication: { status } });
tryResource(s3ReplicationNoDeleteMarkers, { passes: { "none": markers("Disabled") }, fails: { ...none, "deletions": markers("Enabled") }, unjudged: { ...open, "an unknown status": markers(unknown) } });
tryResource(s3ReplicationWholeBucket, { passes: { "an empty prefix": copy({ filter: { prefix: "" } }), "an empty filter": copy({ filter: {} }) }, fails: { ...none, "one prefix": copy({ filter: { prefix: "redis/" } }) }, unjudged: { ...open, "an unknown filter": copy({ filter: unknown }) } });
const time = (status: unknown, minutes: unknown, metrics: unknown = "Enabled") => copy({ destination: { replicationTime: { status, time: { minutes } }, metrics: { status: metrics } } });
tryResource(s3ReplicationTime, { passes: { "15 minutes": time("Enabled", 15) }, fails: { ...none, "hours": time("Enabled", 120), "off": time("Disabled", 15), "nobody told": time("Enabled", 15, "Disabled") }, unjudged: { ...open, "an unknown time": time("Enabled", unknown) } });
const to = (bucket: unknown, replicaKmsKeyId: unknown) => copy({ destination: { bucket, encryptionConfiguration: { replicaKmsKeyId } } });
const there = "arn:aws:kms:eu-west-1:111122223333:alias/blackroad-backups";
tryResource(s3ReplicationRegion, {
  passes: { "the plan's replica": to(`arn:aws:s3:::${replica}`, there) },
  fails: { ...none, "another bucket": to("arn:aws:s3:::other", there), "itself": to(`arn:aws:s3:::${backups}`, there), "the source's key": to(`arn:aws:s3:::${replica}`, "arn:aws:kms:us-west-2:111122223333:alias/blackroad-backups"), "no key": to(`arn:aws:s3:::${replica}`, undefined) },
  unjudged: { ...open, "an unknown bucket": to(unknown, there), "an unknown key": to(`arn:aws:s3:::${replica}`, unknown) },
});
const bucket = (name: unknown) => resource("aws:s3/bucket:Bucket", { bucket: name }, { name: "bucket" });
const replication = (name: unknown) => resource("aws:s3/bucketReplicationConfig:BucketReplicationConfig", { bucket: name });
tryStack(s3ReplicationPresent, {
  passes: { "one": [bucket(backups), replication(backups)], "what is kept for a day": [bucket(short)], "the replica": [bucket(replica)], "logs": [bucket(logs)] },
  fails: { "none": [bucket(backups)], "another's": [bucket(backups), replication(short)] },
  unjudged: { "an unknown bucket": [bucket(unknown)] },
});
