import { backendOf } from "../../plan/find.ts";
import { replicaBucket, roleName } from "../../plan/names.ts";
import type { Backend, Plan } from "../../plan/types.ts";
import type { Duration } from "../../plan/units.ts";

/** What the plan says about a backend's bucket that is copied to another region. */
export interface Replicated {
  readonly backend: Backend;
  readonly source: { readonly bucket: string; readonly region: string };
  readonly destination: { readonly bucket: string; readonly region: string };
  /** How long S3 may take. */
  readonly bound: Duration;
}

/** Each backend and region that the plan's copies of the kind `replicated-bucket` name, once. */
export function replicationsOf(plan: Plan): readonly Replicated[] {
  const copies = plan.stores.flatMap((store) => store.copies.filter((copy) => copy.kind === "replicated-bucket"));
  const once = new Map(copies.map((copy) => [`${copy.of} ${copy.region}`, copy] as const));
  return [...once.values()].flatMap(({ of, region, bound }) => {
    const backend = backendOf(plan, of);
    return backend === undefined ? [] : [{ backend, source: { bucket: backend.bucket, region: backend.region }, destination: { bucket: replicaBucket(backend.bucket), region }, bound }];
  });
}

/**
 * The role that S3 takes on to replicate: one that decrypts and encrypts, so keys must know it.
 * @throws RangeError where the plan replicates no bucket
 */
export function replicationRoleName(plan: Plan): string {
  const [first] = replicationsOf(plan);
  if (first === undefined) throw new RangeError(`the plan ${plan.name} replicates no bucket`);
  return roleName(plan, "replication", first.source.region);
}
