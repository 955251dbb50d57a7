import type { Rule } from "../../core/rule.ts";
import { glacierClosed } from "./glacier-closed.ts";
import { glacierLockPresent } from "./glacier-lock-present.ts";
import { glacierLock } from "./glacier-lock.ts";
import { noWildcardDoors } from "./no-wildcard-doors.ts";
import { noWildcardPrincipal } from "./no-wildcard-principal.ts";
import { r2AbortMultipart } from "./r2-abort-multipart.ts";
import { r2Lifecycle } from "./r2-lifecycle.ts";
import { r2LockPresent } from "./r2-lock-present.ts";
import { r2Lock } from "./r2-lock.ts";
import { r2NoPublicDomain } from "./r2-no-public-domain.ts";
import { r2TokenExpires } from "./r2-token-expires.ts";
import { r2TokenScoped } from "./r2-token-scoped.ts";
import { s3AbortMultipart } from "./s3-abort-multipart.ts";
import { s3CustomerKey } from "./s3-customer-key.ts";
import { s3EncryptionPresent } from "./s3-encryption-present.ts";
import { s3KeepsContent } from "./s3-keeps-content.ts";
import { s3LifecyclePresent } from "./s3-lifecycle-present.ts";
import { s3LifecycleRetention } from "./s3-lifecycle-retention.ts";
import { s3LifecycleVersions } from "./s3-lifecycle-versions.ts";
import { s3LoggingPresent } from "./s3-logging-present.ts";
import { s3Logging } from "./s3-logging.ts";
import { s3NoAcls } from "./s3-no-acls.ts";
import { s3ObjectLockEnabled } from "./s3-object-lock-enabled.ts";
import { s3ObjectLockPresent } from "./s3-object-lock-present.ts";
import { s3ObjectLock } from "./s3-object-lock.ts";
import { s3PolicyPresent } from "./s3-policy-present.ts";
import { s3PublicAccessBlockPresent } from "./s3-public-access-block-present.ts";
import { s3PublicAccessBlock } from "./s3-public-access-block.ts";
import { s3ReplicationEnabled } from "./s3-replication-enabled.ts";
import { s3ReplicationKmsObjects } from "./s3-replication-kms-objects.ts";
import { s3ReplicationNoDeleteMarkers } from "./s3-replication-no-delete-markers.ts";
import { s3ReplicationPresent } from "./s3-replication-present.ts";
import { s3ReplicationRegion } from "./s3-replication-region.ts";
import { s3ReplicationTime } from "./s3-replication-time.ts";
import { s3ReplicationWholeBucket } from "./s3-replication-whole-bucket.ts";
import { s3Satellites } from "./s3-satellites.ts";
import { s3SseCBlocked } from "./s3-sse-c-blocked.ts";
import { s3VersioningPresent } from "./s3-versioning-present.ts";
import { s3Versioning } from "./s3-versioning.ts";
import { tlsOnly } from "./tls-only.ts";
import { versionsDenied } from "./versions-denied.ts";
import { workloadKeepsVersions } from "./workload-keeps-versions.ts";
import { workloadOwnPolicy } from "./workload-own-policy.ts";

export const objectsRules: readonly Rule[] = [
  glacierClosed,
  glacierLockPresent,
  glacierLock,
  noWildcardDoors,
  noWildcardPrincipal,
  r2AbortMultipart,
  r2Lifecycle,
  r2LockPresent,
  r2Lock,
  r2NoPublicDomain,
  r2TokenExpires,
  r2TokenScoped,
  s3AbortMultipart,
  s3CustomerKey,
  s3EncryptionPresent,
  s3KeepsContent,
  s3LifecyclePresent,
  s3LifecycleRetention,
  s3LifecycleVersions,
  s3LoggingPresent,
  s3Logging,
  s3NoAcls,
  s3ObjectLockEnabled,
  s3ObjectLockPresent,
  s3ObjectLock,
  s3PolicyPresent,
  s3PublicAccessBlockPresent,
  s3PublicAccessBlock,
  s3ReplicationEnabled,
  s3ReplicationKmsObjects,
  s3ReplicationNoDeleteMarkers,
  s3ReplicationPresent,
  s3ReplicationRegion,
  s3ReplicationTime,
  s3ReplicationWholeBucket,
  s3Satellites,
  s3SseCBlocked,
  s3VersioningPresent,
  s3Versioning,
  tlsOnly,
  versionsDenied,
  workloadKeepsVersions,
  workloadOwnPolicy,
];
