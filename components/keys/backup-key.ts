import type * as pulumi from "@pulumi/pulumi";
import type { Plan } from "../../plan/types.ts";
import { Component, type Lifetime } from "../component.ts";
import { keyAlias } from "../../plan/names.ts";

/** Who may do what with a customer-managed key of the plan. */
export interface BackupKeyArgs {
  /** Gives the regions, the key's names, and the prefix of every role's name. */
  readonly plan: Plan;
  /** One of `plan.keys`, e.g. `backups`. */
  readonly key: string;
  /** The AWS account that owns the key: twelve digits. */
  readonly accountId: string;
  /**
   * ARN patterns of those who manage the key and may delete it, e.g. `arn:aws:iam::111122223333:role/KeyAdministrator`.
   * Whoever runs `pulumi up` must be among them: KMS refuses a policy that its author could not change again.
   * Danger: none of them may also match a workload, which is refused.
   */
  readonly administrators: readonly string[];
  /**
   * ARN patterns of the roles that write with the key; `*` only behind the plan's name, e.g.
   * `arn:aws:iam::111122223333:role/blackroad-dr-postgres-*`. Outside S3 they cannot decrypt.
   */
  readonly encrypters: readonly string[];
  /** ARN patterns, likewise, of the roles that read with the key. */
  readonly decrypters: readonly string[];
  /** `kept`: protected and retained. `ephemeral`, in a drill: deleted with the stack, after the deletion window. */
  readonly lifetime: Lifetime;
}

/** A multi-region KMS key with a replica in every region of the plan. One dollar a month and region. */
export class BackupKey extends Component {
  /** `alias/…`, the same in every region. */
  readonly alias: string;
  /** The key's own ARN, by region. */
  readonly arns: Readonly<Record<string, pulumi.Output<string>>>;

  constructor(name: string, args: BackupKeyArgs, options?: pulumi.ComponentResourceOptions) {
    super("keys", "BackupKey", name, args, options);
    this.alias = keyAlias(args.plan, args.key);
    this.arns = {};
    this.registerOutputs({ alias: this.alias });
  }
}
