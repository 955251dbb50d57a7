import type * as pulumi from "@pulumi/pulumi";
import type { Plan } from "../../plan/types.ts";
import { Component, refuse, type Lifetime } from "../component.ts";
import type { R2Place } from "../storage/r2-access.ts";
import type { ExistingSecrets } from "./existing-secrets.ts";

export interface BackupSecretsArgs {
  readonly plan: Plan;
  /** The bucket that the escrow is kept in, whose tokens are the `r2-…` secrets. */
  readonly r2: R2Place;
  /** Armoured OpenPGP public keys of people who keep the private half offline; at least two. */
  readonly recipients: readonly string[];
  /** From `findExistingSecrets(plan)`, awaited before: an `up` after a lost state adopts them. */
  readonly existing: ExistingSecrets;
  readonly lifetime: Lifetime;
}

/** Every secret of the plan, in Secrets Manager in each region, and what must survive everything in escrow. */
export class BackupSecrets extends Component {
  /** Names in Secrets Manager by the plan's names; the same in every region. */
  declare readonly paths: ReadonlyMap<string, string>;
  /** The values, secret, by the plan's names. */
  declare readonly values: ReadonlyMap<string, pulumi.Output<string>>;
  /** Where in the R2 bucket the escrow of the present values lies. */
  declare readonly escrowKey: pulumi.Output<string>;

  constructor(name: string, args: BackupSecretsArgs, options?: pulumi.ComponentResourceOptions) {
    refuse(`BackupSecrets ${name}`, ["not written yet"]);
    super("access", "BackupSecrets", name, args, options);
  }
}
