import type * as pulumi from "@pulumi/pulumi";
import type { Plan } from "../../plan/types.ts";
import { Component } from "../component.ts";
import type { IssuerRef, Topology } from "../topology.ts";
import type { ObjectStores, RegionServers } from "./reach.ts";

export interface BackupScheduleArgs {
  readonly plan: Plan;
  /** The jobs' own region by the plan's name, e.g. `us-east-1`. Declare the jobs in each region that has servers. */
  readonly region: string;
  /** Says in which namespace of the region's cluster the jobs run. */
  readonly topology: Topology;
  /** With `dr` and every tool that it calls; by digest. */
  readonly image: string;
  readonly servers: RegionServers;
  /** Of every backend that jobs write to (kinds `r2` and `s3`). */
  readonly objectStores: ObjectStores;
  /** Signs the certificate by which the jobs are known to pgBackRest's TLS server. */
  readonly issuer: IssuerRef;
  /** ARN of each identity's IAM role in this region, by the identity's name; annotates the service accounts for EKS's
   * web identity. Absent where the cluster is not EKS: credentials then come from elsewhere. */
  readonly roleArns?: Readonly<Record<string, pulumi.Input<string>>>;
  /** Declares the jobs and starts none: while a recovery runs, or before the stores are there. Nothing is backed up
   * meanwhile, and the alerts fire. Default: false. */
  readonly suspended?: boolean;
}

/** One CronJob for each schedule of the plan, in one region. */
export class BackupSchedule extends Component {
  constructor(name: string, args: BackupScheduleArgs, options?: pulumi.ComponentResourceOptions) {
    super("jobs", "BackupSchedule", name, args, options);
    this.registerOutputs({});
  }
}
