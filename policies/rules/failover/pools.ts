import type { ResourceReader } from "../../core/resource.ts";
import type { StackRule, Verdict } from "../../core/rule.ts";
import { unknown, type Unknown } from "../../core/value.ts";

const balancerType = "cloudflare:index/loadBalancer:LoadBalancer";
const poolType = "cloudflare:index/loadBalancerPool:LoadBalancerPool";

/** Of the plan's regions, the one that a pool is named after; a pool has no other mark of where its servers are. */
export function regionOfPool(pool: ResourceReader, verdict: Verdict): string | Unknown | undefined {
  const name = pool.read("name");
  if (name.state === "unknown") return unknown;
  const text = name.state === "known" ? String(name.value) : "";
  return verdict.plan.regions.find((region) => text === region.name || text.endsWith(`-${region.name}`))?.name;
}

/** The pools that a property of a load balancer names: their ids are not known before `up`, what they come from is. */
export const poolsBehind = (balancer: ResourceReader, property: string, resources: readonly ResourceReader[]): readonly ResourceReader[] => {
  const urns = balancer.facts.propertyDependencies[property] ?? [];
  return resources.filter(({ facts }) => facts.type === poolType && urns.includes(facts.urn));
};

export const balancers = (resources: readonly ResourceReader[]): readonly ResourceReader[] => resources.filter(({ facts }) => facts.type === balancerType);

export const failoverPools: StackRule = {
  kind: "stack",
  scope: "stack",
  id: "failover-pools",
  severity: "critical",
  enforcement: "mandatory",
  protects: "With one pool, or with all of them in one region, there is nowhere to send clients when the region is lost.",
  fix: "Name a pool for each of two of the plan's regions in defaultPools, each called after its region.",
  breaks: { defaultPools: ["the-only-one"], name: "pool-of-no-region" },
  judge(resources, verdict) {
    for (const balancer of balancers(resources)) {
      verdict.property(balancer, "defaultPools", (pools) => (Array.isArray(pools) && pools.length >= 2 ? undefined : `names ${Array.isArray(pools) ? pools.length : "no"} pool, of at least 2`));
      const pools = poolsBehind(balancer, "defaultPools", resources);
      const regions = pools.map((pool): { readonly pool: ResourceReader; readonly region: string | Unknown | undefined } => ({ pool, region: regionOfPool(pool, verdict) }));
      for (const { pool, region } of regions) {
        if (region === unknown) verdict.unjudged(pool, "name");
        else if (region === undefined) verdict.violation(pool, "name", `is in no region of the plan (${verdict.plan.regions.map(({ name }) => name).join(", ")})`);
        else if (regions.find((one) => one.region === region)?.pool !== pool) verdict.violation(pool, "name", `is a second pool in ${region}: it goes with the first one`);
      }
    }
  },
};
