/** What rules about a bucket's replication share. */
import type { ResourceReader } from "../../core/resource.ts";
import type { ResourceRule, Verdict } from "../../core/rule.ts";

export const replicationType = "aws:s3/bucketReplicationConfig:BucketReplicationConfig";

/** Every rule of a replication; none, or unknown ones, are reported. */
export function replicationRules(resource: ResourceReader, verdict: Verdict): readonly ResourceReader[] {
  const rules = resource.list("rules");
  if (rules === undefined) verdict.unjudged(resource, "rules");
  else if (rules.length === 0) verdict.violation(resource, "rules", "is empty");
  return rules ?? [];
}

/** A rule that one property of each has one right value. */
export const replicationSwitch = ({ path, expected, ...rule }: Pick<ResourceRule, "id" | "severity" | "protects" | "fix"> & { readonly path: string; readonly expected: string }): ResourceRule => ({
  kind: "resource",
  ...rule,
  enforcement: "mandatory",
  types: [replicationType],
  breaks: { rules: [], [`rules[*].${path}`]: expected === "Enabled" ? "Disabled" : "Enabled" },
  judge(resource, verdict) {
    for (const one of replicationRules(resource, verdict)) {
      verdict.property(one, path, (value) => (value === expected ? undefined : value === undefined ? `is not set; expected "${expected}"` : `is ${JSON.stringify(value)}, not "${expected}"`));
    }
  },
});
