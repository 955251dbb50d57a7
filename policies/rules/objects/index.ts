import type { Rule } from "../../core/rule.ts";
import { noWildcardPrincipal } from "./no-wildcard-principal.ts";
import { s3CustomerKey } from "./s3-customer-key.ts";
import { s3EncryptionPresent } from "./s3-encryption-present.ts";
import { s3LifecyclePresent } from "./s3-lifecycle-present.ts";
import { s3LoggingPresent } from "./s3-logging-present.ts";
import { s3NoAcls } from "./s3-no-acls.ts";
import { s3ObjectLock } from "./s3-object-lock.ts";
import { s3ObjectLockEnabled } from "./s3-object-lock-enabled.ts";
import { s3ObjectLockPresent } from "./s3-object-lock-present.ts";
import { s3PolicyPresent } from "./s3-policy-present.ts";
import { s3PublicAccessBlock } from "./s3-public-access-block.ts";
import { s3PublicAccessBlockPresent } from "./s3-public-access-block-present.ts";
import { s3SseCBlocked } from "./s3-sse-c-blocked.ts";
import { s3Versioning } from "./s3-versioning.ts";
import { s3VersioningPresent } from "./s3-versioning-present.ts";
import { tlsOnly } from "./tls-only.ts";

export const objectsRules: readonly Rule[] = [
  s3Versioning,
  s3VersioningPresent,
  s3ObjectLock,
  s3ObjectLockEnabled,
  s3ObjectLockPresent,
  s3CustomerKey,
  s3SseCBlocked,
  s3EncryptionPresent,
  s3PublicAccessBlock,
  s3PublicAccessBlockPresent,
  s3NoAcls,
  tlsOnly,
  noWildcardPrincipal,
  s3PolicyPresent,
  s3LifecyclePresent,
  s3LoggingPresent,
];
