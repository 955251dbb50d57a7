import { bucketsOf, replicaBucket } from "../../../plan/names.ts";
import type { Backend, Continent, Plan } from "../../../plan/types.ts";
import type { ResourceReader } from "../../core/resource.ts";
import type { StackRule, Verdict } from "../../core/rule.ts";
import { replicaRegion } from "../../core/bucket-role.ts";
import { shown } from "../../core/value.ts";
import { types, whole } from "./parts.ts";
import { declaredPlaces, placeSelectors } from "./places.ts";

/** Cloudflare's hints of where a bucket is made, by continent. */
const continents: Readonly<Record<string, Continent>> = { weur: "europe", eeur: "europe", wnam: "north-america", enam: "north-america" };

export const regionsDiffer: StackRule = {
  kind: "stack",
  scope: "system",
  id: "regions-differ",
  severity: "critical",
  enforcement: "mandatory",
  protects: "Backups in the region, or with the provider, of what they are backups of are lost with it.",
  fix: "Put each bucket where the plan has its backend, in the plan's regions and with two providers, and copy it to another region.",
  breaks: { region: "us-east-1", location: "nowhere" },
  selects: placeSelectors,
  judge(resources, verdict) {
    const { plan } = verdict;
    const { buckets, complete, volumes } = declaredPlaces(resources, verdict);
    if (!complete) return; // what could not be judged was said to be so
    const providers = new Set<string>();
    const regions = new Set(volumes.map(({ region }) => region).filter((region) => region !== undefined));
    for (const backend of plan.backends) {
      for (const name of bucketsOf(backend)) {
        const bucket = buckets.get(name);
        if (bucket === undefined) verdict.violation(whole(plan.name), "", `no stack declares ${name}, where the plan's backend ${backend.name} is`);
        else {
          providers.add(backend.provider);
          place(bucket, backend, backend.region, verdict);
          if (backend.provider === "aws") regions.add(backend.region);
        }
      }
      copied(plan, backend, buckets, verdict);
    }
    if (providers.size < Math.min(2, new Set(plan.backends.map(({ provider }) => provider)).size)) verdict.violation(whole(plan.name), "", `all backups are with one provider (${[...providers].join(", ") || "none"})`);
    if (regions.size < plan.system.regions) verdict.violation(whole(plan.name), "", `data is in ${regions.size} of the ${plan.system.regions} regions that the plan promises (${[...regions].join(", ")})`);
  },
};

function place(bucket: ResourceReader, backend: Backend, region: string, verdict: Verdict): void {
  if (bucket.facts.type === types.r2Bucket) {
    verdict.property(bucket, "location", (hint) => (continents[String(hint).toLowerCase()] === backend.continent ? undefined : `${shown(hint)}, where the plan has ${backend.continent}`));
  } else verdict.property(bucket, "region", (value) => (value === region ? undefined : `${shown(value)}, where the plan has ${region}`));
}

/** What S3 copies by itself is in another region than its source. */
function copied(plan: Plan, backend: Backend, buckets: ReadonlyMap<string, ResourceReader>, verdict: Verdict): void {
  const region = replicaRegion(plan, backend);
  if (region === undefined) return;
  const replica = buckets.get(replicaBucket(backend.bucket));
  if (replica === undefined) verdict.violation(whole(plan.name), "", `no stack declares ${replicaBucket(backend.bucket)}, where ${backend.bucket} is copied to`);
  else place(replica, backend, region, verdict);
}
