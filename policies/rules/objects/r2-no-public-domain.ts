import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";

/** Cloudflare's own address of a bucket, and one of a zone of ours. */
const custom = "cloudflare:index/r2CustomDomain:R2CustomDomain";

export const r2NoPublicDomain: ResourceRule = {
  kind: "resource",
  id: "r2-no-public-domain",
  severity: "critical",
  enforcement: "mandatory",
  protects: "Whatever has a public domain everybody reads, without a token.",
  fix: "Set enabled to false, and take a custom domain away.",
  types: ["cloudflare:index/r2ManagedDomain:R2ManagedDomain", custom],
  breaks: { enabled: true },
  judge(resource, verdict) {
    verdict.property(resource, "enabled", (enabled) => (enabled === false ? undefined : `${shown(enabled)}: ${resource.facts.type === custom ? "a domain of ours serves the bucket" : "the bucket is public"}`));
  },
};
