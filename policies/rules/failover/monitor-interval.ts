import type { ResourceRule } from "../../core/rule.ts";

const most = (name: string, unit: string, limit: number) => (value: unknown): string | undefined =>
  typeof value === "number" && value <= limit ? undefined : `is ${value === undefined ? "unset" : JSON.stringify(value)}, where the plan reckons with at most ${limit}${unit} (plan.dns.${name})`;

export const failoverMonitorInterval: ResourceRule = {
  kind: "resource",
  id: "failover-monitor-interval",
  severity: "high",
  enforcement: "mandatory",
  protects: "The hot tier's recovery time is reckoned from these figures: a slower check leaves clients at a region that is gone for longer than was promised.",
  fix: "Set interval, timeout, retries and consecutiveDown to what plan.dns says, or less.",
  types: ["cloudflare:index/loadBalancerMonitor:LoadBalancerMonitor"],
  breaks: { interval: 3_600, timeout: 600, retries: 100, consecutiveDown: 100 },
  judge(resource, verdict) {
    const { dns } = verdict.plan;
    verdict.property(resource, "interval", most("interval", " s", dns.interval));
    verdict.property(resource, "timeout", most("timeout", " s", dns.timeout));
    verdict.property(resource, "retries", most("retries", "", dns.retries));
    verdict.property(resource, "consecutiveDown", (value) => (value === undefined ? undefined : most("consecutiveDown", "", dns.consecutiveDown)(value))); // unset: the first failed check counts
  },
};
