import type * as pulumi from "@pulumi/pulumi";
import type { Plan } from "../../plan/types.ts";
import type { Duration } from "../../plan/units.ts";
import { Component, refuse, type Lifetime } from "../component.ts";

/** Where one region serves clients. */
export interface ServingRegion {
  /** One of the plan's; the primary and the secondary serve. */
  readonly region: string;
  /** `https://HOST` of the region's public entrance, with a port where it is not 443. Plain http is refused. */
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
    /** What the zone's Cloudflare plan is: the least interval between checks depends on it. */
    readonly plan: "free" | "pro" | "business" | "enterprise";
  };
  /** What clients use, e.g. `api.blackroad.example`. */
  readonly hostname: string;
  /** In any order: the plan's roles say which comes first. */
  readonly regions: readonly ServingRegion[];
  readonly health?: {
    /** Answers well only where the database can be written: HAProxy's, by Patroni's leader. Default: `/healthz/writable`. */
    readonly path?: string;
    /** Default: `200`. */
    readonly codes?: string;
    /** Part of the body, in the first 10 KiB. Default: any body. */
    readonly body?: string;
  };
  readonly lifetime: Lifetime;
}

/** Sends clients to the region where the database is writable, without a call to Cloudflare's API at that moment.
 * Needs Cloudflare's load balancing add-on: from 5 USD a month for two endpoints. */
export class DnsFailover extends Component {
  /** Worst case until clients are sent on, as the plan's tiers reckon. */
  readonly detection: Duration;
  readonly loadBalancerId: pulumi.Output<string>;

  constructor(name: string, args: DnsFailoverArgs, options?: pulumi.ComponentResourceOptions) {
    refuse(`DnsFailover ${name}`, []);
    super("failover", "DnsFailover", name, args, options);
    throw new Error("not there yet");
  }
}
