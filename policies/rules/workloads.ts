/** The roles that jobs, databases and agents work under, told by their names (plan/names.ts, `roleName`). */
import { patternsMeet } from "../../plan/arn-patterns.ts";
import type { ResourceReader } from "../core/resource.ts";

/** Whether a role's name, its ARN or a pattern of it is a workload's. */
export const isWorkload = (plan: string, role: string): boolean => (role.split("/").at(-1) ?? "").startsWith(`${plan}-dr-`);

/** Whether a pattern of ARNs could be a workload's role, with `*` anywhere; its name alone counts, not its path. */
export const mayMeanWorkload = (plan: string, pattern: string): boolean => isWorkload(plan, pattern) || patternsMeet(pattern, `arn:aws:iam::*:role/${plan}-dr-*`);

/** Resources that give a role what it may do, and where the policy and the role's name stand. */
export const rolePolicyTypes: readonly string[] = ["aws:iam/rolePolicy:RolePolicy", "aws:iam/policy:Policy", "aws:iam/userPolicy:UserPolicy"];

/** A role's name is known at preview; a policy without a role may be any workload's. */
export function mayBeWorkload(resource: ResourceReader, plan: string): boolean {
  const role = resource.read("role");
  return role.state !== "known" || typeof role.value !== "string" || isWorkload(plan, role.value);
}
