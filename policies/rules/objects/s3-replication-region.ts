import { bucketNamed, bucketOf, replicaRegion } from "../../core/bucket-role.ts";
import { unset, type ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { replicationRules, replicationType } from "./replication.ts";

const key = "destination.encryptionConfiguration.replicaKmsKeyId";

export const s3ReplicationRegion: ResourceRule = {
  kind: "resource",
  id: "s3-replication-region",
  severity: "critical",
  enforcement: "mandatory",
  protects: "A copy in the same region is lost with it, and one under a key of the same region cannot be read without it.",
  fix: "Set destination.bucket to the replica that the plan names, and replicaKmsKeyId to the key's alias in that region.",
  types: [replicationType],
  breaks: { rules: [], "rules[*].destination.bucket": "arn:aws:s3:::another-bucket", [`rules[*].${key}`]: unset },
  selects: ["bucket", "region"],
  judge(resource, verdict) {
    const { plan } = verdict;
    const source = bucketOf(resource, plan);
    const region = resource.read("region");
    const planned = source === "unknown" || source.backend === undefined ? undefined : replicaRegion(plan, source.backend);
    const own = (source === "unknown" ? undefined : source.region) ?? (region.state === "known" ? region.value : undefined);
    for (const rule of replicationRules(resource, verdict)) {
      verdict.property(rule, "destination.bucket", (arn) => {
        const destination = bucketNamed(plan, typeof arn === "string" ? arn.replace("arn:aws:s3:::", "") : "");
        if (destination.role !== "replica") return `${shown(arn)}, no replica of the plan`;
        return destination.region === own || (planned !== undefined && destination.region !== planned) ? `${shown(arn)} in ${destination.region ?? "no region"}; expected ${planned ?? "another region than the source's"}` : undefined;
      });
      verdict.property(rule, key, (arn) => {
        const where = typeof arn === "string" ? arn.split(":")[3] : undefined;
        return where !== undefined && where !== own && (planned === undefined || where === planned) ? undefined : `${shown(arn)}, no key of ${planned ?? "another region"}`;
      });
    }
  },
};
