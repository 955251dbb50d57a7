import type { ResourceRule } from "../../core/rule.ts";

export const failoverPoolChecked: ResourceRule = {
  kind: "resource",
  id: "failover-pool-checked",
  severity: "critical",
  enforcement: "mandatory",
  protects: "A pool that nobody checks is healthy for ever, and one without a server that is switched on takes clients nowhere.",
  fix: "Give the pool its monitor, an origin that is enabled and minimumOrigins of at least 1.",
  types: ["cloudflare:index/loadBalancerPool:LoadBalancerPool"],
  breaks: { monitor: "", origins: [], "origins[*].enabled": false, "origins[*].address": "", minimumOrigins: 0, enabled: false },
  judge(resource, verdict) {
    verdict.property(resource, "monitor", (monitor) => (typeof monitor === "string" && monitor !== "" ? undefined : "is unset: a failure is never seen"));
    verdict.property(resource, "enabled", (enabled) => (enabled === false ? "is false: nobody is ever sent there" : undefined));
    verdict.property(resource, "minimumOrigins", (least) => (least === 0 ? "is 0: the pool is healthy with every origin gone" : undefined));
    verdict.count(resource, "origins", (origins) => (origins > 0 ? undefined : "names no server"));
    for (const origin of resource.list("origins") ?? []) {
      verdict.property(origin, "enabled", (enabled) => (enabled === false ? "is false: the region is left out" : undefined));
      verdict.property(origin, "address", (address) => (typeof address === "string" && address !== "" ? undefined : "is unset"));
    }
  },
};
