import type { Plan } from "../../plan/types.ts";

/** A resource of the engine, by what stands in its URN. */
export interface KeyResource {
  readonly type: "aws:kms/key:Key" | "aws:kms/replicaKey:ReplicaKey" | "aws:kms/alias:Alias";
  readonly name: string;
}

/** The region of a key's primary: the secondary one, so that it outlives the primary region. */
export const keyHome = (plan: Plan): string | undefined => plan.regions.find(({ role }) => role === "secondary")?.name;

/** What a `BackupKey` called `name` declares in a region. */
export const keyResources = (plan: Plan, name: string, region: string): { readonly key: KeyResource; readonly alias: KeyResource } => ({
  key: region === keyHome(plan) ? { type: "aws:kms/key:Key", name: `${name}-primary` } : { type: "aws:kms/replicaKey:ReplicaKey", name: `${name}-replica-${region}` },
  alias: { type: "aws:kms/alias:Alias", name: `${name}-alias-${region}` },
});
