import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";

/** Each says for some clients otherwise than defaultPools does for all. */
const overrides: readonly string[] = ["rules", "regionPools", "countryPools", "popPools"];

export const failoverSteering: ResourceRule = {
  kind: "resource",
  id: "failover-steering",
  severity: "high",
  enforcement: "mandatory",
  protects: "Two regions at a time must not take writes: clients that are spread, or held by a cookie, reach a database that only reads.",
  fix: 'Set steeringPolicy to "off" (in the order of the pools), sessionAffinity to "none" and adaptiveRouting.failoverAcrossPools to false, and leave out rules and pools by region, country or point of presence.',
  types: ["cloudflare:index/loadBalancer:LoadBalancer"],
  breaks: { ...Object.fromEntries(overrides.map((path) => [path, [{}]])), steeringPolicy: "random", sessionAffinity: "cookie", "adaptiveRouting.failoverAcrossPools": true },
  judge(resource, verdict) {
    for (const path of overrides) verdict.property(resource, path, (value) => (value === undefined || (Array.isArray(value) && value.length === 0) ? undefined : `${shown(value)}, which sends some clients past the order of the pools`));
    // Unset is "off" here, but with pools by country or region it is "geo".
    verdict.property(resource, "steeringPolicy", (policy) => (policy === "off" ? undefined : `is ${policy === undefined ? "unset" : JSON.stringify(policy)}, not "off"`));
    verdict.property(resource, "sessionAffinity", (affinity) => (affinity === undefined || affinity === "none" ? undefined : `is ${JSON.stringify(affinity)}: clients stay with the region that was lost`));
    verdict.property(resource, "adaptiveRouting.failoverAcrossPools", (across) => (across === true ? "is true: a write is tried again where the database only reads" : undefined));
  },
};
