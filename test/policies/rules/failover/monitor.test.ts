import { describe, expect, it } from "vitest";
import { blackroad } from "../../../../plan/blackroad.ts";
import { judgeResource } from "../../../../policies/core/judge.ts";
import type { ResourceRule } from "../../../../policies/core/rule.ts";
import { unknown } from "../../../../policies/core/value.ts";
import { failoverMonitorAnswer } from "../../../../policies/rules/failover/monitor-answer.ts";
import { failoverMonitorEncrypted } from "../../../../policies/rules/failover/monitor-encrypted.ts";
import { failoverMonitorInterval } from "../../../../policies/rules/failover/monitor-interval.ts";
import { resource } from "../../../harness/policies.ts";

const { dns } = blackroad;
const good = { type: "https", path: "/healthz/writable", expectedCodes: "200", followRedirects: false, allowInsecure: false, interval: dns.interval, timeout: dns.timeout, retries: dns.retries, consecutiveDown: dns.consecutiveDown };
const judge = (rule: ResourceRule, changes: Readonly<Record<string, unknown>>) =>
  judgeResource(rule, resource("cloudflare:index/loadBalancerMonitor:LoadBalancerMonitor", { ...good, ...changes }), { plan: blackroad, production: true }).map(({ kind, path }) => `${kind} ${path}`);

describe.each([[failoverMonitorInterval], [failoverMonitorAnswer], [failoverMonitorEncrypted]])("$id", (rule) => {
  it("lets the monitor of the plan pass", () => {
    expect(judge(rule, {})).toEqual([]);
  });

  it.each(Object.entries(rule.breaks))("catches %s that is %j, and says so where it is not known before `up`", (path, value) => {
    expect(judge(rule, { [path]: value })).toEqual([`violation ${path}`]);
    expect(judge(rule, { [path]: unknown })).toEqual([`unjudged ${path}`]);
  });
});

describe("what is unset", () => {
  it.each([["interval", failoverMonitorInterval], ["timeout", failoverMonitorInterval], ["retries", failoverMonitorInterval], ["path", failoverMonitorAnswer], ["expectedCodes", failoverMonitorAnswer], ["type", failoverMonitorEncrypted]] as const)("%s is judged", (path, rule) => {
    expect(judge(rule, { [path]: undefined })).toEqual([`violation ${path}`]);
  });

  it("is the provider's safe default for the others", () => {
    expect(judge(failoverMonitorInterval, { consecutiveDown: undefined })).toEqual([]);
    expect(judge(failoverMonitorAnswer, { followRedirects: undefined })).toEqual([]);
    expect(judge(failoverMonitorEncrypted, { allowInsecure: undefined })).toEqual([]);
  });
});

describe("an expected body", () => {
  it("makes up for a range of codes, and an empty or unknown one does not", () => {
    expect(judge(failoverMonitorAnswer, { expectedCodes: "2xx", expectedBody: "writable" })).toEqual([]);
    expect(judge(failoverMonitorAnswer, { expectedCodes: "2xx", expectedBody: "" })).toEqual(["violation expectedCodes"]);
    expect(judge(failoverMonitorAnswer, { expectedCodes: "2xx", expectedBody: unknown })).toEqual(["unjudged expectedBody"]);
  });
});
