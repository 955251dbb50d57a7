import type * as pulumi from "@pulumi/pulumi";
import type { BackendName, Plan } from "../../plan/types.ts";
import { Component } from "../component.ts";

export interface CrossRegionReplicationArgs {
  /** Gives source, destination, their regions and the bound that replication must keep. */
  readonly plan: Plan;
  /** The backend whose bucket is copied; what is short-lived is not (see plan/cost.ts). */
  readonly backend: BackendName;
  /** The AWS account of both buckets: twelve digits. */
  readonly accountId: string;
  /** `alias/…` of the multi-region key that both buckets use, each in its own region. */
  readonly keyAlias: string;
  /** `ready` of the source's and, where it is of the same stack, the destination's bucket: S3 refuses replication
   * between buckets without versioning. */
  readonly ready: readonly pulumi.Resource[];
  /** SNS topics that an alarm goes to, by the region that they are in: metrics are where S3 publishes them.
   * @default none: the alarms show in CloudWatch alone */
  readonly alarmTopics?: { readonly source?: readonly pulumi.Input<string>[]; readonly destination?: readonly pulumi.Input<string>[] };
}

/** S3's replication of a backend's bucket to another region, within 15 minutes. */
export class CrossRegionReplication extends Component {
  /** The role that S3 takes on; the key's policy must let it decrypt and encrypt. */
  readonly roleName: string;

  constructor(name: string, args: CrossRegionReplicationArgs, options?: pulumi.ComponentResourceOptions) {
    super("storage", "CrossRegionReplication", name, args, options);
    this.roleName = "";
    this.registerOutputs({});
  }
}
