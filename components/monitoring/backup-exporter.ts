import type * as pulumi from "@pulumi/pulumi";
import type { Plan } from "../../plan/types.ts";
import { Component } from "../component.ts";
import type { ObjectStores, RegionServers } from "../jobs/reach.ts";
import type { Topology } from "../topology.ts";

export interface BackupExporterArgs {
  readonly plan: Plan;
  /** By the plan's name; declare an exporter in each region that has servers. */
  readonly region: string;
  readonly topology: Topology;
  /** With `dr` and every tool that it calls; by digest. */
  readonly image: string;
  readonly servers: Pick<RegionServers, "postgres" | "redis">;
  /** Of every backend that jobs write to (kinds `r2` and `s3`); it only reads there. */
  readonly objectStores: ObjectStores;
  /** ARN of the exporter's IAM role in this region, for EKS's web identity; absent where the cluster is not EKS. */
  readonly roleArn?: pulumi.Input<string>;
  /** Where the region's Prometheus runs: nothing else may ask the exporter. Default: the namespace `monitoring`. */
  readonly prometheusNamespace?: string;
  /** What the region's Prometheus selects service monitors by. Default: none. */
  readonly monitorLabels?: Readonly<Record<string, string>>;
}

/** `dr exporter`: every metric of plan/metrics.ts, from the catalog and the buckets. */
export class BackupExporter extends Component {
  constructor(name: string, args: BackupExporterArgs, options?: pulumi.ComponentResourceOptions) {
    super("monitoring", "BackupExporter", name, args, options);
    this.registerOutputs({});
  }
}
