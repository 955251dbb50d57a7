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
      verdict.count(balancer, "defaultPools", (pools) => (pools >= 2 ? undefined : `names ${pools === 0 ? "no" : pools} pool, of at least 2`));
      const pools = poolsBehind(balancer, "defaultPools", resources);
      if (pools.length < 2) elsewhere(balancer, pools, verdict);
      const regions = pools.map((pool): { readonly pool: ResourceReader; readonly region: string | Unknown | undefined } => ({ pool, region: regionOfPool(pool, verdict) }));
      for (const { pool, region } of regions) {
        if (region === unknown) verdict.unjudged(pool, "name");
        else if (region === undefined) verdict.violation(pool, "name", `is in no region of the plan (${verdict.plan.regions.map(({ name }) => name).join(", ")})`);
        else if (regions.find((one) => one.region === region)?.pool !== pool) verdict.violation(pool, "name", `is a second pool in ${region}: it goes with the first one`);
      }
    }
  },
};

/** Fewer pools stand behind a balancer than it names: one of them twice, or some that no rule sees here. */
function elsewhere(balancer: ResourceReader, declared: readonly ResourceReader[], verdict: Verdict): void {
  const named = balancer.list("defaultPools") ?? [];
  if (named.length < 2) return; // said already
  if (declared.length === 1) verdict.violation(balancer, "defaultPools", "names one pool of this stack and no other: what stands beside it is not declared here, or is the same again");
  else if (named.some((pool) => pool.stateOf([]) === "unknown")) verdict.unjudged(balancer, "defaultPools");
  else verdict.violation(balancer, "defaultPools", "names pools by their ids: where they are, and who checks them, is not declared here");
}
