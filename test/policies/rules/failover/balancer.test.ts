import { describe, expect, it } from "vitest";
import { blackroad } from "../../../../plan/blackroad.ts";
import { judgeResource, judgeStack } from "../../../../policies/core/judge.ts";
import type { ResourceRule, StackRule } from "../../../../policies/core/rule.ts";
import { unknown } from "../../../../policies/core/value.ts";
import { failoverDnsFast } from "../../../../policies/rules/failover/dns-fast.ts";
import { failoverFallback } from "../../../../policies/rules/failover/fallback.ts";
import { failoverPoolChecked } from "../../../../policies/rules/failover/pool-checked.ts";
import { failoverPools } from "../../../../policies/rules/failover/pools.ts";
import { failoverSteering } from "../../../../policies/rules/failover/steering.ts";
import { resource } from "../../../harness/policies.ts";

type Props = Readonly<Record<string, unknown>>;
const settings = { plan: blackroad, production: true };
const poolType = "cloudflare:index/loadBalancerPool:LoadBalancerPool";
const pool = (name: string, props: Props = {}) => resource(poolType, { name: `blackroad-${name}`, monitor: unknown, minimumOrigins: 1, origins: [{ name, address: `${name}.example`, enabled: true }], ...props }, { name });
const urn = (name: string): string => pool(name).urn;
const dependencies = { defaultPools: [urn("us-east-1"), urn("us-west-2")], fallbackPool: [urn("us-west-2")] };
const balancer = (props: Props = {}, propertyDependencies: Readonly<Record<string, readonly string[]>> = dependencies) =>
  resource("cloudflare:index/loadBalancer:LoadBalancer", { defaultPools: [unknown, unknown], fallbackPool: unknown, proxied: true, enabled: true, steeringPolicy: "off", sessionAffinity: "none", ...props }, { name: "balancer", propertyDependencies });

const short = (findings: readonly { readonly kind: string; readonly path: string }[]): readonly string[] => findings.map(({ kind, path }) => `${kind} ${path}`);
const one = (rule: ResourceRule, props: Props) => short(judgeResource(rule, rule === failoverPoolChecked ? pool("us-east-1", { monitor: "id", ...props }) : balancer(props), settings));
const all = (rule: StackRule, ...resources: readonly ReturnType<typeof resource>[]) => short(judgeStack(rule, resources, settings));
const pools = [pool("us-east-1"), pool("us-west-2")];

describe("failover-pool-checked", () => {
  it.each<[string, Props, readonly string[]]>([
    ["as it should be", {}, []],
    ["without a monitor", { monitor: undefined }, ["violation monitor"]],
    ["with a monitor of no id", { monitor: "" }, ["violation monitor"]],
    ["switched off", { enabled: false }, ["violation enabled"]],
    ["healthy with nothing", { minimumOrigins: 0 }, ["violation minimumOrigins"]],
    ["without servers", { origins: [] }, ["violation origins"]],
    ["with no list of servers", { origins: undefined }, ["violation origins"]],
    ["with a server that is off and has no address", { origins: [{ enabled: false }] }, ["violation origins[0].enabled", "violation origins[0].address"]],
    ["not known before up", { monitor: unknown, origins: unknown, minimumOrigins: unknown, enabled: unknown }, ["unjudged monitor", "unjudged enabled", "unjudged minimumOrigins", "unjudged origins"]],
  ])("judges a pool %s", (_, props, expected) => {
    expect(one(failoverPoolChecked, props)).toEqual(expected);
  });
});

describe("failover-dns-fast", () => {
  const { ttl } = blackroad.dns;
  it.each<[string, Props, readonly string[]]>([
    ["proxied", {}, []],
    ["short-lived", { proxied: false, ttl }, []],
    ["long-lived", { proxied: false, ttl: ttl + 1 }, ["violation ttl"]],
    ["as long-lived as Cloudflare likes", { proxied: false, ttl: 1 }, ["violation ttl"]],
    ["unset", { proxied: undefined }, ["violation ttl"]],
    ["not known before up", { proxied: unknown }, ["unjudged proxied"]],
    ["of a lifetime that is not known", { proxied: false, ttl: unknown }, ["unjudged ttl"]],
    ["switched off", { enabled: false }, ["violation enabled"]],
  ])("judges a name that is %s", (_, props, expected) => {
    expect(one(failoverDnsFast, props)).toEqual(expected);
  });
});

describe("failover-steering", () => {
  it.each<[string, Props, readonly string[]]>([
    ["in the order of the pools", { sessionAffinity: undefined }, []],
    ["at random", { steeringPolicy: "random" }, ["violation steeringPolicy"]],
    ["as it comes", { steeringPolicy: undefined }, ["violation steeringPolicy"]],
    ["by cookie", { sessionAffinity: "cookie" }, ["violation sessionAffinity"]],
    ["across pools", { adaptiveRouting: { failoverAcrossPools: true } }, ["violation adaptiveRouting.failoverAcrossPools"]],
    ["by a rule of its own", { rules: [{ overrides: { steeringPolicy: "random" } }] }, ["violation rules"]],
    ["by country", { countryPools: { US: ["a"] } }, ["violation countryPools"]],
    ["unknown", { steeringPolicy: unknown }, ["unjudged steeringPolicy"]],
  ])("judges clients that are sent %s", (_, props, expected) => {
    expect(one(failoverSteering, props)).toEqual(expected);
  });
});

describe("failover-pools", () => {
  it("lets two regions pass, their ids unknown", () => {
    expect(all(failoverPools, balancer(), ...pools)).toEqual([]);
  });

  it.each<[string, readonly ReturnType<typeof resource>[], readonly string[]]>([
    ["one pool", [balancer({ defaultPools: [unknown] }, { defaultPools: [urn("us-east-1")] }), ...pools], ["violation defaultPools"]],
    ["no pools", [balancer({ defaultPools: undefined }, {}), ...pools], ["violation defaultPools"]],
    ["a list that is not known", [balancer({ defaultPools: unknown }), ...pools], ["unjudged defaultPools"]],
    ["the same one twice", [balancer({}, { defaultPools: [urn("us-east-1")] }), ...pools], ["violation defaultPools"]],
    ["ids that somebody wrote out", [balancer({ defaultPools: ["a", "b"] }, {}), ...pools], ["violation defaultPools"]],
    ["pools that come from elsewhere", [balancer({}, {}), ...pools], ["unjudged defaultPools"]],
    ["two in one region", [balancer(), pools[0] ?? balancer(), pool("us-west-2", { name: "other-us-east-1" })], ["violation name"]],
    ["one nowhere", [balancer(), pools[0] ?? balancer(), pool("us-west-2", { name: undefined })], ["violation name"]],
    ["one of a name that is not known", [balancer(), pools[0] ?? balancer(), pool("us-west-2", { name: unknown })], ["unjudged name"]],
  ])("judges %s", (_, resources, expected) => {
    expect(all(failoverPools, ...resources)).toEqual(expected);
  });
});

describe("failover-fallback", () => {
  it.each<[string, ReturnType<typeof resource>, readonly string[]]>([
    ["the secondary's pool", balancer(), []],
    ["the primary's pool", balancer({}, { ...dependencies, fallbackPool: [urn("us-east-1")] }), ["violation fallbackPool"]],
    ["the first pool, by id", balancer({ defaultPools: ["a", "b"], fallbackPool: "a" }), ["violation fallbackPool"]],
    ["another one, by id", balancer({ defaultPools: ["a", "b"], fallbackPool: "b" }, {}), []],
    ["unset", balancer({ fallbackPool: undefined }), ["violation fallbackPool"]],
    ["not known and from nowhere", balancer({}, {}), ["unjudged fallbackPool"]],
  ])("judges a fallback that is %s", (_, one, expected) => {
    expect(all(failoverFallback, one, ...pools)).toEqual(expected);
  });
});
