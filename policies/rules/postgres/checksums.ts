import { primaryRegion } from "../../../plan/find.ts";
import type { ResourceRule } from "../../core/rule.ts";
import { configMapType, fileSelectors, isRestored, patroniFiles } from "./files.ts";

export const postgresChecksums: ResourceRule = {
  kind: "resource",
  id: "postgres-checksums",
  severity: "high",
  enforcement: "mandatory",
  protects: "Without checksums a page that the disk damaged is read as good, and every backup takes it along until the last good one has expired.",
  fix: 'Name "data-checksums" in bootstrap.initdb: a cluster has them from its birth or is stopped to get them.',
  types: [configMapType],
  breaks: { "data.patroni-pg-*.yml": "[", "data.patroni-pg-*.yml.bootstrap.initdb": [{ encoding: "UTF8" }] },
  // Only who may found the cluster has the section: the secondary region's members must not.
  selects: [...fileSelectors, "data.patroni-pg-*.yml.bootstrap", "data.patroni-pg-*.yml.tags.region"],
  judge(resource, verdict) {
    for (const file of patroniFiles(resource, verdict)) {
      if (isRestored(resource)) continue; // it has what its backup had
      const region = file.read("tags.region");
      const isElsewhere = region.state === "known" && region.value !== primaryRegion(verdict.plan)?.name;
      if (isElsewhere && file.read("bootstrap").state === "unset") continue;
      verdict.property(file, "bootstrap.initdb", (options) => (Array.isArray(options) && options.some(asksForChecksums) ? undefined : "does not ask for data-checksums"));
    }
  },
};

function asksForChecksums(option: unknown): boolean {
  if (typeof option === "object" && option !== null && "data-checksums" in option) return option["data-checksums"] !== false;
  return option === "data-checksums";
}
