import type * as pulumi from "@pulumi/pulumi";
import type { Plan } from "../../plan/types.ts";
import { Component } from "../component.ts";

/** A bucket by its name: an `S3BackupBucket`, or one of another stack, whose name is in plan/names.ts. */
export interface BucketPlace {
  readonly bucketName: string;
  /** E.g. `us-west-2`. */
  readonly region: string;
}

export interface CrossRegionReplicationArgs {
  /** Says what is copied where, and the bound that it must keep: its copies of the kind `replicated-bucket`. */
  readonly plan: Plan;
  readonly source: BucketPlace;
  readonly destination: BucketPlace;
  /** The AWS account of both buckets: twelve digits. */
  readonly accountId: string;
  /** `alias/…` of the multi-region key that both buckets use, each in its own region. */
  readonly keyAlias: string;
  /** `ready` of the source's and, where it is of the same stack, the destination's bucket: S3 refuses replication
   * between buckets without versioning. */
  readonly ready: readonly pulumi.Resource[];
  /** SNS topics that alarms go to: an alarm is in the region of its metric, and its topic must be there too. Ten cents
   * a month and alarm.
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
