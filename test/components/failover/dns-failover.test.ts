import { describe, expect, it } from "vitest";
import { DnsFailover, type DnsFailoverArgs } from "../../../components/failover/dns-failover.ts";
import { blackroad } from "../../../plan/blackroad.ts";
import { dnsSwitchOver } from "../../../plan/recovery-time.ts";
import type { Plan } from "../../../plan/types.ts";
import { seconds } from "../../../plan/units.ts";
import { declare } from "../../harness/pulumi.ts";
import { refusal } from "../refusal.ts";

const primary = { region: "us-east-1", url: "https://us-east-1.entrance.example" };
const secondary = { region: "us-west-2", url: "https://us-west-2.entrance.example" };
const args = (changes: Partial<DnsFailoverArgs> = {}): DnsFailoverArgs => ({
  plan: blackroad,
  accountId: "account",
  zone: { id: "zone", name: "blackroad.example", plan: "standard" },
  hostname: "api.blackroad.example",
  regions: [secondary, primary],
  lifetime: "kept",
  ...changes,
});
const withDns = (changes: Partial<Plan["dns"]>): Plan => ({ ...blackroad, dns: { ...blackroad.dns, ...changes } });

const monitorType = "cloudflare:index/loadBalancerMonitor:LoadBalancerMonitor";
const poolType = "cloudflare:index/loadBalancerPool:LoadBalancerPool";
const balancerType = "cloudflare:index/loadBalancer:LoadBalancer";

describe("DnsFailover", () => {
  it("checks over https, as often and as patiently as the plan says, that the database can be written", async () => {
    const declared = await declare(() => new DnsFailover("dns", args({ health: { body: "writable" } })));
    expect(declared.one(monitorType).inputs).toMatchObject({
      accountId: "account",
      type: "https",
      path: "/healthz/writable",
      expectedCodes: "200",
      expectedBody: "writable",
      followRedirects: false,
      allowInsecure: false,
      header: { Host: ["api.blackroad.example"] },
      interval: blackroad.dns.interval,
      timeout: blackroad.dns.timeout,
      retries: blackroad.dns.retries,
      consecutiveDown: blackroad.dns.consecutiveDown,
    });
  });

  it("has a pool for each region with the monitor, and a name that Cloudflare takes", async () => {
    const declared = await declare(() => new DnsFailover("dns", args()));
    const pools = declared.of(poolType);
    expect(pools.map(({ name }) => name).sort()).toEqual(["dns-pool-us-east-1", "dns-pool-us-west-2"]);
    for (const { inputs } of pools) expect(inputs).toMatchObject({ monitor: "dns-monitor-id", minimumOrigins: 1, name: expect.stringMatching(/^[A-Za-z0-9_-]+$/) as string });
    expect(declared.one(poolType, "dns-pool-us-east-1").inputs).toMatchObject({ origins: [{ name: "us-east-1", address: "us-east-1.entrance.example", enabled: true }] });
  });

  it("goes in the order of the plan's roles whatever the arguments' order, and falls back to the secondary", async () => {
    const declared = await declare(() => new DnsFailover("dns", args()));
    expect(declared.one(balancerType)).toMatchObject({
      protect: true,
      inputs: {
        name: "api.blackroad.example",
        zoneId: "zone",
        steeringPolicy: "off",
        proxied: true,
        sessionAffinity: "none",
        defaultPools: ["dns-pool-us-east-1-id", "dns-pool-us-west-2-id"],
        fallbackPool: "dns-pool-us-west-2-id",
        adaptiveRouting: { failoverAcrossPools: false },
      },
    });
  });

  it("says how long it takes until clients are sent on, by the plan's own formula", async () => {
    const declared = await declare(() => new DnsFailover("dns", args()));
    expect(declared.outputs.detection).toBe(dnsSwitchOver(blackroad.dns));
    expect(declared.one("blackroad:failover:DnsFailover").outputs).toMatchObject({ hostname: "api.blackroad.example", order: ["us-east-1", "us-west-2"], fallback: "us-west-2", detection: dnsSwitchOver(blackroad.dns) });
  });

  it("checks and connects on the port of the regions where it is not the usual one", async () => {
    const declared = await declare(() => new DnsFailover("dns", args({ regions: [primary, secondary].map((one) => ({ ...one, url: `${one.url}:8443` })) })));
    expect(declared.one(monitorType).inputs).toMatchObject({ port: 8443 });
    expect(declared.one(poolType, "dns-pool-us-west-2").inputs).toMatchObject({ origins: [{ port: 8443 }] });
  });

  it("protects nothing in a drill", async () => {
    const declared = await declare(() => new DnsFailover("dns", args({ lifetime: "ephemeral" })));
    expect(declared.all.filter(({ protect, retainOnDelete }) => protect || retainOnDelete)).toEqual([]);
  });

  it.each<[string, Partial<DnsFailoverArgs>, string]>([
    ["fewer than two regions", { regions: [primary] }, "regions: 1 of at least 2"],
    ["one region twice", { regions: [primary, { ...primary, url: "https://other.example" }] }, "regions: us-east-1 is named twice"],
    ["a region that the plan does not know", { regions: [primary, { ...secondary, region: "mars-1" }] }, "regions: mars-1 is no region of the plan"],
    ["a region without a database", { regions: [primary, { ...secondary, region: "eu-west-1" }] }, "regions: eu-west-1 is the witness"],
    ["plain http", { regions: [primary, { ...secondary, url: "http://us-west-2.entrance.example" }] }, "is not https"],
    ["what is no URL", { regions: [primary, { ...secondary, url: "us-west-2" }] }, "is no URL"],
    ["a URL with a path", { regions: [primary, { ...secondary, url: `${secondary.url}/api` }] }, "has more than a host and a port"],
    ["different ports", { regions: [primary, { ...secondary, url: `${secondary.url}:8443` }] }, "their ports differ"],
    ["a hostname of another zone", { hostname: "api.notblackroad.example" }, "hostname: api.notblackroad.example is not in the zone blackroad.example"],
    ["an interval below the account's least", { plan: withDns({ interval: seconds(10) }) }, "plan.dns.interval: 10 s is less than 15 s, the least of Cloudflare's standard plan"],
    ["an interval above Cloudflare's most", { plan: withDns({ interval: seconds(7_200) }) }, "is more than Cloudflare's 3600 s"],
    ["a timeout as long as the interval", { plan: withDns({ timeout: seconds(60) }) }, "plan.dns.timeout: 60 s is not less than the interval"],
    ["a health path that is none", { health: { path: "health" } }, "does not start with a slash"],
    ["checks from nowhere", { health: { from: [] } }, "health.from: no region checks"],
    ["a detection longer than the tier reckons with", { plan: withDns({ interval: seconds(90) }) }, "the plan's hot tier reckons with"],
  ])("refuses %s", async (_, changes, message) => {
    expect(await refusal(() => new DnsFailover("dns", args(changes)))).toContain(message);
  });

  it("lets an enterprise account check every 10 seconds", async () => {
    const declared = await declare(() => new DnsFailover("dns", args({ plan: withDns({ interval: seconds(10) }), zone: { id: "zone", name: "blackroad.example", plan: "enterprise" } })));
    expect(declared.one(monitorType).inputs).toMatchObject({ interval: 10 });
  });
});
