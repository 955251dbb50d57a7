import { keyAlias } from "../../../plan/names.ts";
import type { Plan } from "../../../plan/types.ts";
import type { ResourceReader } from "../../core/resource.ts";
import type { StackRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { aliasType, keyType, replicaKeyType } from "./key-types.ts";

export const kmsReplicas: StackRule = {
  kind: "stack",
  scope: "stack",
  id: "kms-replicas",
  severity: "critical",
  enforcement: "mandatory",
  protects: "What one region's key encrypted no other region can read when the first is gone: neither backups nor Vault's seal.",
  fix: "Set multiRegion to true, and declare a ReplicaKey of the key in each other region of the plan.",
  breaks: { multiRegion: false, region: "ap-south-1" },
  selects: ["name"],
  judge(resources, verdict) {
    const wanted = verdict.plan.regions.map(({ name }) => name);
    for (const key of resources.filter(({ facts }) => facts.type === keyType)) {
      const replicas = resources.filter(({ facts }) => facts.type === replicaKeyType && facts.propertyDependencies["primaryKeyArn"]?.includes(key.facts.urn) === true);
      // A key of one region, as a cluster has for itself, is nobody else's.
      if (replicas.length === 0 && !isOfPlan(key, resources, verdict.plan)) continue;
      verdict.property(key, "multiRegion", (value) => (value === true ? undefined : `${shown(value)}, not true`));
      const members = [key, ...replicas];
      const regions = members.map((one) => one.read("region"));
      const missing = wanted.filter((region) => !regions.some((reading) => reading.state === "known" && reading.value === region));
      if (missing.length === 0) continue;
      const open = members[regions.findIndex(({ state }) => state === "unknown")];
      if (open !== undefined) verdict.unjudged(open, "region");
      else verdict.violation(key, "", `has no replica in ${missing.join(", ")}`);
    }
  },
};

/** Whether an alias of one of the plan's keys leads to it, or stands beside it in one component. */
const isOfPlan = (key: ResourceReader, resources: readonly ResourceReader[], plan: Plan): boolean =>
  resources.some((alias) => {
    const leads = alias.facts.propertyDependencies["targetKeyId"]?.includes(key.facts.urn) === true || (alias.facts.parent !== undefined && alias.facts.parent === key.facts.parent);
    if (alias.facts.type !== aliasType || !leads) return false;
    const name = alias.read("name");
    return name.state === "known" && plan.keys.some((one) => keyAlias(plan, one) === name.value);
  });
