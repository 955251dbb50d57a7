import type { ResourceRule } from "../../core/rule.ts";

/** Cloudflare's word for five minutes. */
const automatic = 1;

export const failoverDnsFast: ResourceRule = {
  kind: "resource",
  id: "failover-dns-fast",
  severity: "high",
  enforcement: "mandatory",
  protects: "A resolver that keeps the old answer sends its clients to the region that was lost, for as long as the answer lives.",
  fix: "Set proxied to true, or ttl to what plan.dns.ttl says, or less.",
  types: ["cloudflare:index/loadBalancer:LoadBalancer"],
  breaks: { proxied: false, enabled: false },
  selects: ["ttl"], // only looked at where the name is not proxied
  judge(resource, verdict) {
    verdict.property(resource, "enabled", (enabled) => (enabled === false ? "is false: the hostname leads nowhere" : undefined));
    const proxied = resource.read("proxied");
    if (proxied.state === "unknown") {
      verdict.unjudged(resource, "proxied");
      return;
    }
    if (proxied.state === "known" && proxied.value === true) return;
    const limit = verdict.plan.dns.ttl;
    verdict.property(resource, "ttl", (ttl) => (typeof ttl === "number" && ttl > automatic && ttl <= limit ? undefined : `is ${ttl === undefined ? "unset" : JSON.stringify(ttl)} on a name that is not proxied; resolvers may keep an answer for at most ${limit} s`));
  },
};
