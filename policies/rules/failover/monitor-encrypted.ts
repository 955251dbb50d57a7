import type { ResourceRule } from "../../core/rule.ts";

export const failoverMonitorEncrypted: ResourceRule = {
  kind: "resource",
  id: "failover-monitor-encrypted",
  severity: "high",
  enforcement: "mandatory",
  protects: "Over plain HTTP, or without looking at the certificate, whoever sits between can keep clients at a region that is gone, or call away from one that works.",
  fix: 'Set type to "https" and allowInsecure to false.',
  types: ["cloudflare:index/loadBalancerMonitor:LoadBalancerMonitor"],
  breaks: { type: "http", allowInsecure: true },
  judge(resource, verdict) {
    verdict.property(resource, "type", (type) => (type === "https" ? undefined : `is ${type === undefined ? "unset, which means http" : JSON.stringify(type)}, not "https"`));
    verdict.property(resource, "allowInsecure", (insecure) => (insecure === true ? "is true: any certificate will do" : undefined));
  },
};
