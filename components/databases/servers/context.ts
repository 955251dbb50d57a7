import type * as pulumi from "@pulumi/pulumi";
import type { Lifetime } from "../../component.ts";
import { labelsOf, selectorOf } from "../../kubernetes/pod.ts";
import type { RegionPlace, Topology } from "../../topology.ts";

/** One set of like servers: where they are, what they are called, and what declares them. */
export interface ServerSet {
  readonly parent: pulumi.Resource;
  /** Of the Pulumi resources: `${prefix}-part`. */
  readonly prefix: string;
  /** Of the StatefulSet, and before the number of each server. */
  readonly base: string;
  /** In the order of their numbers. */
  readonly names: readonly string[];
  readonly place: RegionPlace;
  readonly topology: Topology;
  readonly lifetime: Lifetime;
  readonly labels: Record<string, string>;
  readonly selector: Record<string, string>;
}

export interface ServerSetArgs extends Omit<ServerSet, "labels" | "selector"> {
  /** Kubernetes' name of the application: `redis`, `vault`, `qdrant`. */
  readonly application: string;
  readonly region: string;
}

export const serverSet = ({ application, region, ...rest }: ServerSetArgs): ServerSet => ({
  ...rest,
  labels: labelsOf(application, rest.base, { "blackroad.io/region": region }),
  selector: selectorOf(application, rest.base),
});

export const child = ({ parent }: ServerSet): pulumi.CustomResourceOptions => ({ parent });
