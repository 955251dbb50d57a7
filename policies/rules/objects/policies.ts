/** Policies that say who may come to a bucket or a vault. */
import type { ResourceReader } from "../../core/resource.ts";

const vault = "aws:glacier/vault:Vault";
export const bucketPolicyTypes: readonly string[] = ["aws:s3/bucketPolicy:BucketPolicy", vault];
export const policyPathOf = ({ facts }: ResourceReader): string => (facts.type === vault ? "accessPolicy" : "policy");

/** What a policy must name to speak of all that it is on: the bucket and its objects, or the vault as far as its name
 * tells; `undefined` where that is not known. */
export function ownNamesOf(resource: ResourceReader): readonly string[] | undefined {
  const reading = resource.read(resource.facts.type === vault ? "name" : "bucket");
  if (reading.state !== "known" || typeof reading.value !== "string") return undefined;
  if (resource.facts.type !== vault) return [`arn:aws:s3:::${reading.value}`, `arn:aws:s3:::${reading.value}/*`];
  // The account is in the ARN and in no property: whatever the policy says of it.
  const policy = resource.read("accessPolicy");
  const account = policy.state === "known" && typeof policy.value === "string" ? new RegExp(`arn:aws:glacier:[a-z0-9-]*:\\d*:vaults/${reading.value}(?=")`).exec(policy.value)?.[0] : undefined;
  return [account ?? `arn:aws:glacier:::vaults/${reading.value}`];
}
