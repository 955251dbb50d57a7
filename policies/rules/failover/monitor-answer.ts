import type { ResourceRule } from "../../core/rule.ts";

const isOneCode = (codes: unknown): boolean => typeof codes === "string" && /^2\d\d$/.test(codes);

export const failoverMonitorAnswer: ResourceRule = {
  kind: "resource",
  id: "failover-monitor-answer",
  severity: "high",
  enforcement: "mandatory",
  protects: "A check that takes any answer for a good one sees a region as healthy whose error page, login or redirect answers, and clients stay where no database can be written.",
  fix: 'Set path to what follows the database, expectedCodes to the one code it answers with ("200") or expectedBody to what it says, and followRedirects to false.',
  types: ["cloudflare:index/loadBalancerMonitor:LoadBalancerMonitor"],
  breaks: { expectedCodes: "2xx", path: "/", followRedirects: true },
  selects: ["expectedBody"], // what it says makes up for a range of codes
  judge(resource, verdict) {
    const body = resource.read("expectedBody");
    if (body.state === "unknown") verdict.unjudged(resource, "expectedBody");
    else if (body.state === "unset" || body.value === "") {
      verdict.property(resource, "expectedCodes", (codes) => (isOneCode(codes) ? undefined : `is ${codes === undefined ? "unset" : JSON.stringify(codes)} and expectedBody is unset: an answer of whatever stands in between is taken for the database's`));
    }
    verdict.property(resource, "path", (path) => (typeof path === "string" && path.startsWith("/") && path !== "/" ? undefined : `is ${path === undefined ? "unset" : JSON.stringify(path)}, which says nothing of the database behind it`));
    verdict.property(resource, "followRedirects", (follow) => (follow === true ? "is true: a redirect to the other region looks healthy" : undefined));
  },
};
