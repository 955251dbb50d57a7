/** Whether what Vault's snapshots need to be opened is there after a failure (facts F10): a copy alone is only ciphertext. */
import { keyAlias, vaultSealKey } from "./names.ts";
import { failuresOf, type Failure } from "./survival.ts";
import { failureScopes, type Plan, type Provider } from "./types.ts";

/** What every server of Vault is sealed by (config/bao.ts), and who has the key. */
export const vaultSeal = { type: "awskms", provider: "aws" as Provider } as const;

export interface Unsealing {
  readonly failure: Failure;
  /** Regions that still have a replica of the key; none: Vault stays shut. */
  readonly replicas: readonly string[];
  /** Where it stays shut: whether the plan accepts by name what follows from that. */
  readonly accepted: boolean;
}

export const sealName = (plan: Plan): string => `${vaultSeal.type} ${keyAlias(plan, vaultSealKey)}`;

/** After each failure that a plan reckons with. A key of KMS cannot be taken away by the writer's credentials. */
export function unsealingOf(plan: Plan): readonly Unsealing[] {
  return failureScopes.flatMap((scope) => failuresOf(plan, scope)).map((failure) => ({
    failure,
    replicas: plan.regions.filter((region) => failure.provider !== vaultSeal.provider && !(failure.scope === "region" && region.role === "primary")).map(({ name }) => name),
    accepted: plan.accepted.some((one) => one.store === "vault" && one.scope === failure.scope && /CANNOT be unsealed/.test(one.reason)),
  }));
}
