import type * as pulumi from "@pulumi/pulumi";
import type { BackendName, Plan } from "../../plan/types.ts";
import { Component, type Lifetime } from "../component.ts";

/** What a bucket is for; its settings follow from that. */
export type BucketRole =
  /** A backend of the plan. `shortLived`: the bucket for what is kept for less than the backend's lock, as Object
   * Lock's default is per bucket and would otherwise bill a day's data for a week. */
  | { readonly kind: "backup"; readonly backend: BackendName; readonly shortLived: boolean }
  /** What S3 copies of a backend's bucket to another region. Nobody but S3 writes there. */
  | { readonly kind: "replica"; readonly of: BackendName }
  /** S3's access logs of the region's buckets: no Object Lock and SSE-S3, as S3 delivers to no other. */
  | { readonly kind: "log" }
  /** Pulumi's state of every stack. */
  | { readonly kind: "state" };

/** GOVERNANCE can be bypassed by whoever may; COMPLIANCE by nobody, not even the account's root, before its time. */
export type LockMode = "GOVERNANCE" | "COMPLIANCE";

export interface S3BackupBucketArgs {
  /** Gives locks, retentions, prefixes and names. */
  readonly plan: Plan;
  /** The bucket's name, which is one of the plan's: other regions address it by that (see plan/names.ts). */
  readonly bucket: string;
  /** Where it lies, e.g. `us-west-2`; where the plan says where its role lies, that. */
  readonly region: string;
  /** The AWS account that owns it: twelve digits. */
  readonly accountId: string;
  readonly role: BucketRole;
  /** For `backup` and `replica`, which cannot be without; refused for `log` and `state`. Danger: COMPLIANCE cannot be
   * undone, and what is locked is paid for until it ends. */
  readonly lockMode?: LockMode;
  /** `alias/…` of the KMS key in the bucket's region and account; for every role but `log`. */
  readonly keyAlias?: string;
  /** Where accesses are written down: a bucket of the role `log` in the same region; for every role but `log`. */
  readonly logBucket?: string;
  /**
   * ARN patterns of who may delete versions and bypass GOVERNANCE locks, when a court or a mistake asks for it.
   * Danger: whoever gets hold of one of them can delete backups.
   * @default nobody
   */
  readonly breakGlass?: readonly string[];
  /** `kept`: protected and retained. `ephemeral`, in a drill: emptied and deleted with the stack. */
  readonly lifetime: Lifetime;
}

/** An S3 bucket for backups, their replica, access logs or Pulumi's state. */
export class S3BackupBucket extends Component {
  readonly bucketName: string;
  /** From the name, hence known at preview. */
  readonly arn: string;
  readonly region: string;
  /** What must be there before replication is configured: versioning, lock, encryption, policy. */
  readonly ready: readonly pulumi.Resource[];

  constructor(name: string, args: S3BackupBucketArgs, options?: pulumi.ComponentResourceOptions) {
    super("storage", "S3BackupBucket", name, args, options);
    this.bucketName = args.bucket;
    this.arn = `arn:aws:s3:::${args.bucket}`;
    this.region = args.region;
    this.ready = [];
    this.registerOutputs({ bucket: this.bucketName, region: this.region });
  }
}
