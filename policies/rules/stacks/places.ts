import { backendOf, isBackendCopy, regionOf } from "../../../plan/find.ts";
import { replicaBucket } from "../../../plan/names.ts";
import type { Copy, Plan, StoreName } from "../../../plan/types.ts";
import type { ResourceReader } from "../../core/resource.ts";
import type { Verdict } from "../../core/rule.ts";
import { componentLabel, isDrill, nameLabel, ofType, regionLabel, stacksIn, textAt, types } from "./parts.ts";
import { storeOfWorkload } from "./stateful-belongs.ts";

/** What the stacks together hold data on. */
export interface Declared {
  /** A server's volume, by its store and region. */
  readonly volumes: readonly { readonly store: StoreName | undefined; readonly region: string | undefined; readonly resource: ResourceReader }[];
  /** Buckets and vaults, by their names. */
  readonly buckets: ReadonlyMap<string, ResourceReader>;
  /** False where a place does not say yet which it is: nothing can then be said to be missing. */
  readonly complete: boolean;
}

/** etcd's volume says who leads, and holds none of the data. */
const coordination = "etcd";

export function declaredPlaces(resources: readonly ResourceReader[], verdict: Verdict): Declared {
  const lasting = stacksIn(resources).flatMap(([, members]) => (isDrill(members) ? [] : members));
  const nameOf = (resource: ResourceReader): string => (resource.facts.type === types.s3Bucket ? "bucket" : "name");
  const unclear = [
    ...ofType(lasting, types.claim).flatMap((claim) => [nameLabel, regionLabel].map((path) => [claim, path] as const)),
    ...ofType(lasting, types.s3Bucket, types.r2Bucket, types.vault).map((bucket) => [bucket, [nameOf(bucket)]] as const),
  ].filter(([resource, path]) => resource.stateOf(path) === "unknown");
  for (const [resource, path] of unclear) verdict.unjudged(resource, resource.pathOf(path));
  const volumes = ofType(lasting, types.claim)
    .filter((claim) => textAt(claim, componentLabel) !== coordination)
    .map((resource) => ({ store: storeOfWorkload[textAt(resource, nameLabel) ?? ""], region: textAt(resource, regionLabel), resource }));
  const named = (resource: ResourceReader): readonly (readonly [string, ResourceReader])[] => {
    const name = textAt(resource, nameOf(resource));
    return name === undefined ? [] : [[name, resource]];
  };
  return { volumes, buckets: new Map(ofType(lasting, types.s3Bucket, types.r2Bucket, types.vault).flatMap(named)), complete: unclear.length === 0 };
}

/** Properties by which a place is known. */
export const placeSelectors: readonly string[] = ["metadata.labels.app.kubernetes.io/name", "metadata.labels.app.kubernetes.io/component", "metadata.labels.blackroad.io/region", "bucket", "name"];

/** Whether a store's copy stands on something that is declared. Volumes are counted by the one who asks. */
export function bucketOfCopy(plan: Plan, copy: Copy): string | undefined {
  if (isBackendCopy(copy)) return backendOf(plan, copy.backend)?.bucket;
  return copy.kind === "replicated-bucket" ? replicaBucket(backendOf(plan, copy.of)?.bucket ?? "") : undefined;
}

export const isVolume = (plan: Plan, copy: Copy): copy is Extract<Copy, { readonly kind: "original" | "replica" }> => (copy.kind === "original" || copy.kind === "replica") && regionOf(plan, copy.region) !== undefined;
