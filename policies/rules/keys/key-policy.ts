/** What rules about a key's policy share. */
import type { ResourceReader } from "../../core/resource.ts";
import { keyType } from "./key-types.ts";

/**
 * What is wrong with a key that has no policy of its own. A multi-region key's replicas do not inherit it, and AWS's
 * default lets IAM alone say who deletes; for a key that a service of AWS uses in one region that default will do.
 */
export function keyPolicyProblem(resource: ResourceReader): string | undefined {
  const multi = resource.read("multiRegion");
  return resource.facts.type === keyType && !(multi.state === "known" && multi.value === true) ? undefined : "is not set: a replica inherits none, and AWS's default leaves all to IAM";
}
