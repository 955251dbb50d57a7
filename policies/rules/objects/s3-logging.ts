import { bucketNamed } from "../../core/bucket-role.ts";
import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";

export const s3Logging: ResourceRule = {
  kind: "resource",
  id: "s3-logging",
  severity: "medium",
  enforcement: "mandatory",
  protects: "S3 logs within a region only, and where a thief of the logged bucket may write too, the log says what he likes.",
  fix: "Set targetBucket to the region's bucket for access logs.",
  types: ["aws:s3/bucketLogging:BucketLogging"],
  breaks: { targetBucket: "another-bucket" },
  selects: ["region"],
  judge(resource, verdict) {
    const region = resource.read("region");
    verdict.property(resource, "targetBucket", (name) => {
      const target = bucketNamed(verdict.plan, typeof name === "string" ? name : "");
      if (target.role !== "log") return `${shown(name)}, no bucket of the plan for access logs`;
      return region.state === "known" && target.region !== region.value ? `${shown(name)}, of ${target.region ?? "no region"} and not of ${String(region.value)}` : undefined;
    });
  },
};
