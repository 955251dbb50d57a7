import { formatDuration, minutes } from "../../../plan/units.ts";
import { bucketOf } from "../../core/bucket-role.ts";
import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { replicationRules, replicationType } from "./replication.ts";

export const s3ReplicationTime: ResourceRule = {
  kind: "resource",
  id: "s3-replication-time",
  severity: "high",
  enforcement: "mandatory",
  protects: "Without Replication Time Control S3 may take hours, and the plan counts on a bound.",
  fix: 'Set destination.replicationTime.status to "Enabled" with 15 minutes, the one value that S3 takes, and destination.metrics to be told when it is late.',
  types: [replicationType],
  breaks: { rules: [], "rules[*].destination.replicationTime.status": "Disabled", "rules[*].destination.replicationTime.time.minutes": 120, "rules[*].destination.metrics.status": "Disabled" },
  selects: ["bucket"],
  judge(resource, verdict) {
    const { plan } = verdict;
    const source = bucketOf(resource, plan);
    const backend = source === "unknown" ? undefined : source.backend?.name;
    const bounds = plan.stores.flatMap(({ copies }) => copies.filter((copy) => copy.kind === "replicated-bucket").filter((copy) => backend === undefined || copy.of === backend).map(({ bound }) => bound));
    const bound = Math.min(...bounds);
    for (const rule of replicationRules(resource, verdict)) {
      for (const status of ["replicationTime.status", "metrics.status"]) verdict.property(rule, `destination.${status}`, (value) => (value === "Enabled" ? undefined : `${shown(value)}, not "Enabled"`));
      verdict.property(rule, "destination.replicationTime.time.minutes", (value) => (typeof value === "number" && minutes(value) <= bound ? undefined : `${shown(value)}, where the plan has at most ${formatDuration(bound)}`));
    }
  },
};
