import type * as pulumi from "@pulumi/pulumi";
import type { Plan } from "../../plan/types.ts";
import { Component, type Lifetime } from "../component.ts";
import type { LockMode } from "./s3-backup-bucket.ts";

interface CommonArgs {
  /** Its `archive` backend gives name, region, lock and retention; its `kind` must be the same as here. */
  readonly plan: Plan;
  /** The AWS account that owns the archive: twelve digits. Best an account of its own, with `options.provider` for it:
   * a thief of one account has not the other. */
  readonly accountId: string;
  /** `kept`: protected and retained. `ephemeral`, in a drill: deleted with the stack, so nothing may be locked. */
  readonly lifetime: Lifetime;
}

/** A vault of the Glacier service with its own API. Closed to accounts that had none by 2025-12-15 (facts F1). */
export interface GlacierVaultArgs extends CommonArgs {
  readonly kind: "glacier-vault";
  /**
   * Whether the vault's lock is completed. Danger: completed, it is for ever; nobody, not even AWS, can shorten it.
   * Not completed, it lapses after 24 hours, which is for trying it out. A drill, which locks nothing, must say false.
   */
  readonly completeLock: boolean;
  /** ARN patterns of roles of another account that write to the archive and read it.
   * @default none: roles of the same account need no more than their own policy */
  readonly writers?: readonly string[];
}

/** A bucket whose objects lie in a Glacier storage class. */
export interface S3ArchiveArgs extends CommonArgs {
  readonly kind: "s3";
  /** GLACIER: 90 days at the least, 3 to 12 hours to read. DEEP_ARCHIVE: 180 days, 12 to 48 hours, a quarter of the
   * price.
   * @default GLACIER */
  readonly storageClass?: "GLACIER" | "DEEP_ARCHIVE";
  readonly lockMode: LockMode;
  /** `alias/…` of a KMS key in the archive's own account and region.
   * @default SSE-S3: what is archived is encrypted before it is sent, and must not hang on another account's key */
  readonly keyAlias?: string;
  /** A bucket of the role `log` in the same account and region.
   * @default accesses are not written down here */
  readonly logBucket?: string;
  /** Of who writes to the archive from another account.
   * @default none: roles of the same account need no more than their own policy */
  readonly writers?: readonly string[];
  /** See `S3BackupBucket`.
   * @default nobody */
  readonly breakGlass?: readonly string[];
}

export type ArchiveVaultArgs = GlacierVaultArgs | S3ArchiveArgs;

/** The year of weekly archives, in cold storage. */
export class ArchiveVault extends Component {
  readonly kind: ArchiveVaultArgs["kind"];
  readonly region: string;
  /** `glacier://REGION/VAULT` or `s3://BUCKET`. */
  readonly uri: string;

  constructor(name: string, args: ArchiveVaultArgs, options?: pulumi.ComponentResourceOptions) {
    super("storage", "ArchiveVault", name, args, options);
    this.kind = args.kind;
    this.region = "";
    this.uri = "";
    this.registerOutputs({});
  }
}
