import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { bucketType } from "./guard-present.ts";

/** What a bucket's own class takes as well, from before each had a class of its own. */
const inline: readonly string[] = ["acl", "grants", "lifecycleRules", "logging", "objectLockConfiguration", "policy", "replicationConfiguration", "serverSideEncryptionConfiguration", "versioning", "website"];

export const s3Satellites: ResourceRule = {
  kind: "resource",
  id: "s3-satellites",
  severity: "critical",
  enforcement: "mandatory",
  protects: "What stands inline on a bucket fights with its resource beside it at each `up`, and rules read it there alone: a lifecycle, an ACL or a policy inline would be judged by nothing.",
  fix: "Declare it by its own class (BucketPolicy, BucketLifecycleConfiguration and so on) beside the bucket.",
  types: [bucketType],
  breaks: Object.fromEntries(inline.map((path) => [path, path === "acl" ? "public-read" : [{}]])),
  judge(resource, verdict) {
    for (const path of inline) verdict.property(resource, path, (value) => (value === undefined ? undefined : `${shown(value)} on the bucket itself`));
  },
};
