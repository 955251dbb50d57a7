import { primaryRegion } from "../../../plan/find.ts";
import type { StackRule } from "../../core/rule.ts";
import { unknown } from "../../core/value.ts";
import { balancers, poolsBehind, regionOfPool } from "./pools.ts";

export const failoverFallback: StackRule = {
  kind: "stack",
  scope: "stack",
  id: "failover-fallback",
  severity: "high",
  enforcement: "mandatory",
  protects: "While a promotion is under way no pool is healthy, and who asks then goes to the fallback: the primary region is the one that was just lost.",
  fix: "Set fallbackPool to the pool of the secondary region.",
  breaks: { fallbackPool: "" },
  selects: ["defaultPools[*]", "name"],
  judge(resources, verdict) {
    for (const balancer of balancers(resources)) {
      const fallback = balancer.read("fallbackPool");
      const first = balancer.read("defaultPools[0]");
      if (fallback.state === "unset" || (fallback.state === "known" && fallback.value === "")) verdict.violation(balancer, "fallbackPool", "is unset");
      else if (fallback.state === "known" && first.state === "known" && fallback.value === first.value) verdict.violation(balancer, "fallbackPool", "is the first of the default pools, the primary region's");
      else {
        const [pool] = poolsBehind(balancer, "fallbackPool", resources);
        const region = pool === undefined ? unknown : regionOfPool(pool, verdict);
        if (region === primaryRegion(verdict.plan)?.name) verdict.violation(balancer, "fallbackPool", `is the pool of ${region ?? "the primary region"}, which is the primary`);
        else if (region === unknown && (fallback.state === "unknown" || first.state === "unknown")) verdict.unjudged(balancer, "fallbackPool");
      }
    }
  },
};
