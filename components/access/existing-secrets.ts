import type * as pulumi from "@pulumi/pulumi";
import type { Plan } from "../../plan/types.ts";

export interface ExistingSecret {
  readonly arn: string;
  /** Its current value, secret; `undefined` where an interrupted `up` made the secret and not yet its value. */
  readonly value: pulumi.Output<string> | undefined;
}
/** By the name in the plan. */
export type ExistingSecrets = ReadonlyMap<string, ExistingSecret>;

/** Those of the plan's secrets that exist, looked up before anything is declared: what exists wins over what is new. */
export declare function findExistingSecrets(plan: Plan, options?: pulumi.InvokeOptions): Promise<ExistingSecrets>;
