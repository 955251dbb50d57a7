import * as cloudflare from "@pulumi/cloudflare";
import type * as pulumi from "@pulumi/pulumi";
import { healthPath } from "../../plan/config/haproxy.ts";
import { regionOf } from "../../plan/find.ts";
import { dnsSwitchOver } from "../../plan/recovery-time.ts";
import type { Plan, Region } from "../../plan/types.ts";
import { formatDuration, seconds, type Duration } from "../../plan/units.ts";
import { Component, refuse, type Lifetime } from "../component.ts";

/** Where one region serves clients. */
export interface ServingRegion {
  /** One of the plan's with a database that can be promoted: the primary or the secondary. */
  readonly region: string;
  /** `https://HOST`, with a port where it is not 443: the region's public entrance, which is not itself behind
   * Cloudflare's proxy. Plain http is refused. */
  readonly url: string;
}

export interface DnsFailoverArgs {
  readonly plan: Plan;
  /** Of Cloudflare. */
  readonly accountId: string;
  readonly zone: {
    readonly id: string;
    /** e.g. `blackroad.example`; the hostname lies in it. */
    readonly name: string;
    /** Of the Cloudflare account: the least interval between two checks depends on it. */
    readonly plan: CloudflarePlan;
  };
  /** What clients use, e.g. `api.blackroad.example`. A DNS record of that name gives way to the load balancer. */
  readonly hostname: string;
  /** In any order: the plan's roles say which comes first. */
  readonly regions: readonly ServingRegion[];
  /** What tells that a region's database can be written. */
  readonly health?: {
    /** Answers well only while the region has Patroni's leader, as HAProxy sees it.
     * Default: `/healthz/writable`, which `PostgresCluster` serves. */
    readonly path?: string;
    /** Default: `200`. A range such as `2xx` would also take an answer of a proxy in between. */
    readonly codes?: string;
    /** Part of the body's first 10 KiB, in any case. Default: any body. */
    readonly body?: string;
    /** Cloudflare's regions that check; an origin is down when most of them say so. Each checks from three data
     * centers, so each adds load. Default: western and eastern North America and western Europe. */
    readonly from?: readonly string[];
  };
  /** `kept`: the load balancer is protected, as without it the hostname leads nowhere. */
  readonly lifetime: Lifetime;
}

export type CloudflarePlan = "standard" | "enterprise";

/** Cloudflare's limits of a monitor's interval (its documentation, Load Balancing, Limitations). */
const leastInterval: Readonly<Record<CloudflarePlan, Duration>> = { standard: seconds(15), enterprise: seconds(10) };
const longestInterval = seconds(3_600);

const defaultCheckRegions = ["WNAM", "ENAM", "WEU"];
/** A region that comes and goes must be well this often in a row before clients are sent back to it. */
const consecutiveUp = 2;

/**
 * Sends clients to the region whose database can be written. Each region's health path follows Patroni's leader, so
 * a promotion moves the traffic by itself: no call to Cloudflare's API is needed at that moment (facts F17).
 * Cloudflare's load balancing is a paid add-on: 5 USD a month with two endpoints, more for more checks.
 */
export class DnsFailover extends Component {
  /** Worst case from the loss of a region until clients are sent to another, as the plan's tiers reckon it. */
  readonly detection: Duration;
  readonly loadBalancerId: pulumi.Output<string>;

  constructor(name: string, args: DnsFailoverArgs, options?: pulumi.ComponentResourceOptions) {
    refuse(`DnsFailover ${name}`, problems(args));
    super("failover", "DnsFailover", name, args, options);
    const order = inOrder(args);
    const monitor = this.monitor(name, args);
    const pools = order.map((serving) => this.pool(name, args, serving, monitor));
    const balancer = this.balancer(name, args, pools);
    this.detection = dnsSwitchOver(args.plan.dns);
    this.loadBalancerId = balancer.id;
    this.registerOutputs({ hostname: args.hostname, order: order.map(({ region }) => region), fallback: order.at(-1)?.region, detection: this.detection, loadBalancerId: balancer.id });
  }

  private monitor(name: string, args: DnsFailoverArgs): cloudflare.LoadBalancerMonitor {
    const { dns } = args.plan;
    const { path = healthPath, codes = "200", body } = args.health ?? {};
    return new cloudflare.LoadBalancerMonitor(
      `${name}-monitor`,
      {
        accountId: args.accountId,
        description: `${args.hostname}: the database of the region can be written`,
        type: "https",
        method: "GET",
        path,
        ...portOf(args.regions),
        header: { Host: [args.hostname] },
        expectedCodes: codes,
        ...(body === undefined ? {} : { expectedBody: body }),
        // A redirect to a page of the other region would look healthy.
        followRedirects: false,
        allowInsecure: false,
        interval: dns.interval,
        timeout: dns.timeout,
        retries: dns.retries,
        consecutiveDown: dns.consecutiveDown,
        consecutiveUp,
      },
      { parent: this },
    );
  }

  private pool(name: string, args: DnsFailoverArgs, serving: ServingRegion, monitor: cloudflare.LoadBalancerMonitor): cloudflare.LoadBalancerPool {
    return new cloudflare.LoadBalancerPool(
      `${name}-pool-${serving.region}`,
      {
        accountId: args.accountId,
        name: `${args.plan.name}-${serving.region}`,
        description: `${args.hostname} in ${serving.region}`,
        origins: [{ name: serving.region, address: new URL(serving.url).hostname, ...portOf([serving]), enabled: true }],
        minimumOrigins: 1,
        monitor: monitor.id,
        checkRegions: [...(args.health?.from ?? defaultCheckRegions)],
      },
      { parent: this },
    );
  }

  private balancer(name: string, args: DnsFailoverArgs, pools: readonly cloudflare.LoadBalancerPool[]): cloudflare.LoadBalancer {
    const last = pools.at(-1);
    if (last === undefined) throw new RangeError("a load balancer needs a pool");
    return new cloudflare.LoadBalancer(
      `${name}-load-balancer`,
      {
        zoneId: args.zone.id,
        name: args.hostname,
        description: `${args.plan.name}: the region whose database can be written`,
        defaultPools: pools.map(({ id }) => id),
        // When no region is healthy a promotion is under way: who asks then is better off where the database will be.
        fallbackPool: last.id,
        steeringPolicy: "off", // in the order of the pools
        sessionAffinity: "none", // a cookie would hold clients to the region that was lost
        // It would retry a write in a region whose database only reads.
        adaptiveRouting: { failoverAcrossPools: false },
        proxied: true, // clients never keep an old address
        enabled: true,
      },
      { parent: this, protect: args.lifetime === "kept" },
    );
  }
}

const roleOrder: readonly Region["role"][] = ["primary", "secondary"];
const roleOf = (args: DnsFailoverArgs, serving: ServingRegion): Region["role"] | undefined => regionOf(args.plan, serving.region)?.role;

const inOrder = (args: DnsFailoverArgs): readonly ServingRegion[] =>
  roleOrder.flatMap((role) => args.regions.filter((serving) => roleOf(args, serving) === role));

/** The port, where it is not the usual one; monitors know one for all regions. */
function portOf(regions: readonly ServingRegion[]): { readonly port?: number } {
  const port = regions.map(({ url }) => URL.parse(url)?.port ?? "").find((one) => one !== "");
  return port === undefined ? {} : { port: Number(port) };
}

function problems(args: DnsFailoverArgs): readonly (string | false)[] {
  const { plan, zone, hostname, regions } = args;
  const { interval } = plan.dns;
  const names = regions.map(({ region }) => region);
  const ports = new Set(regions.map(({ url }) => URL.parse(url)?.port ?? ""));
  const path = args.health?.path ?? healthPath;
  const detection = dnsSwitchOver(plan.dns);
  const reckoned = plan.tiers.hot.switchOver;
  return [
    regions.length < 2 && `regions: ${regions.length} of at least 2; with one there is nowhere to go`,
    ...[...new Set(names.filter((region, index) => names.indexOf(region) !== index))].map((region) => `regions: ${region} is named twice`),
    ...regions.map((serving) => regionProblem(args, serving)),
    ...regions.map(({ region, url }) => urlProblem(region, url)),
    ports.size > 1 && `regions: their ports differ (${regions.map(({ url }) => url).join(", ")}); a monitor knows one port`,
    hostname !== zone.name && !hostname.endsWith(`.${zone.name}`) && `hostname: ${hostname} is not in the zone ${zone.name}`,
    interval < leastInterval[zone.plan] && `plan.dns.interval: ${interval} s is less than ${leastInterval[zone.plan]} s, the least of Cloudflare's ${zone.plan} plan`,
    interval > longestInterval && `plan.dns.interval: ${interval} s is more than Cloudflare's ${longestInterval} s`,
    plan.dns.timeout >= interval && `plan.dns.timeout: ${plan.dns.timeout} s is not less than the interval of ${interval} s`,
    !path.startsWith("/") && `health.path: ${JSON.stringify(path)} does not start with a slash`,
    args.health?.from?.length === 0 && "health.from: no region checks; Cloudflare would check from every data center, which only enterprise accounts may",
    detection > reckoned && `plan.dns: clients are sent on after ${formatDuration(detection)} at worst; the plan's hot tier reckons with ${formatDuration(reckoned)}`,
  ];
}

function regionProblem(args: DnsFailoverArgs, serving: ServingRegion): string | false {
  const role = roleOf(args, serving);
  if (role === undefined) return `regions: ${serving.region} is no region of the plan`;
  return !roleOrder.includes(role) && `regions: ${serving.region} is the ${role}; it has no database that could be written`;
}

function urlProblem(region: string, text: string): string | false {
  const url = URL.parse(text);
  if (url === null) return `regions: ${region}: ${JSON.stringify(text)} is no URL; write https://HOST`;
  if (url.protocol !== "https:") return `regions: ${region}: ${text} is not https; whoever sits between would read and change everything`;
  return (url.pathname !== "/" || url.search !== "" || url.username !== "") && `regions: ${region}: ${text} has more than a host and a port`;
}
