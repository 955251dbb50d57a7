import { unset, type ResourceRule } from "../../core/rule.ts";
import { replicationRules, replicationType } from "./replication.ts";

/** `{ prefix: "" }` and an empty filter are both the whole bucket. */
const isWhole = (filter: unknown): boolean => typeof filter === "object" && filter !== null && Object.values(filter).every((value) => value === "");

export const s3ReplicationWholeBucket: ResourceRule = {
  kind: "resource",
  id: "s3-replication-whole-bucket",
  severity: "high",
  enforcement: "mandatory",
  protects: "What no rule's filter names is copied nowhere, and is missed when the region is gone.",
  fix: 'Give one rule the filter { prefix: "" }.',
  types: [replicationType],
  breaks: { rules: [], "rules[*].filter": unset },
  judge(resource, verdict) {
    const rules = replicationRules(resource, verdict);
    const filters = rules.map((rule) => rule.read("filter"));
    if (rules.length === 0 || filters.some((filter) => filter.state === "known" && isWhole(filter.value))) return;
    const open = filters.findIndex((filter) => filter.state === "unknown");
    if (open >= 0) verdict.unjudged(resource, `rules[${open}].filter`);
    else verdict.violation(resource, "rules", "has none whose filter is the whole bucket");
  },
};
