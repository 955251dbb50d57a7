import type * as pulumi from "@pulumi/pulumi";
import type { BackendName, Plan } from "../../plan/types.ts";
import { Component, refuse, type Lifetime } from "../component.ts";
import type { R2Access, R2Place } from "./r2-access.ts";

/** One generation of the bucket's tokens. */
export interface R2TokenTerm {
  /** Names the generation, e.g. `2026-11`; a new label makes new tokens. */
  readonly label: string;
  /** When Cloudflare stops accepting them, e.g. `2027-02-28T00:00:00Z`. Never computed from now: every `up` would differ. */
  readonly expiresOn: string;
}

export interface R2BackupBucketArgs {
  readonly plan: Plan;
  /** Cloudflare's account, 32 hexadecimal digits. */
  readonly accountId: string;
  /** Which of the plan's backends of kind `r2` this is. */
  readonly backend: BackendName;
  /** Where Cloudflare is asked to keep it; honoured at the first creation only. @default "weur" */
  readonly locationHint?: "apac" | "eeur" | "enam" | "weur" | "wnam" | "oc";
  /** Where it is guaranteed to stay; part of the endpoint's name and of the bucket's identity. @default "default" */
  readonly jurisdiction?: "default" | "eu" | "fedramp" | "us";
  /** To rotate: the old `current` becomes `previous`, both work, and when every reader has the new one `previous` goes. */
  readonly tokens: { readonly current: R2TokenTerm; readonly previous?: R2TokenTerm };
  /** What `findExistingBucket` found, so that a lost state adopts the bucket. */
  readonly existing?: pulumi.ID | undefined;
  readonly lifetime: Lifetime;
}

/** The bucket at Cloudflare, with what it locks, what it expires, and two tokens that open it. */
export class R2BackupBucket extends Component implements R2Place {
  declare readonly bucketName: string;
  declare readonly endpoint: string;
  /** Reads, writes and (R2 knows no less) deletes; the lock rules are what stops a thief. */
  declare readonly writer: R2Access;
  declare readonly reader: R2Access;

  constructor(name: string, args: R2BackupBucketArgs, options?: pulumi.ComponentResourceOptions) {
    refuse(`R2BackupBucket ${name}`, ["not written yet"]);
    super("storage", "R2BackupBucket", name, args, options);
  }
}

/** The id to import the bucket by, where it exists. */
export declare function findExistingBucket(args: Pick<R2BackupBucketArgs, "plan" | "accountId" | "backend" | "jurisdiction">, options?: pulumi.InvokeOptions): Promise<pulumi.ID | undefined>;
