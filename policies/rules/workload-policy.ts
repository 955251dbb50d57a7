import { actionsOf, allButActions, coversAction, isAllow, policyBreaks, statementsOf } from "../core/aws-policy.ts";
import type { ResourceRule } from "../core/rule.ts";
import { mayBeWorkload, rolePolicyTypes } from "./workloads.ts";

/** A rule that no role of a workload is allowed one of the actions, by any pattern. */
export const roleForbids = ({ actions, ...rule }: Pick<ResourceRule, "id" | "severity" | "protects" | "fix"> & { readonly actions: readonly string[] }): ResourceRule => ({
  kind: "resource",
  ...rule,
  enforcement: "mandatory",
  types: rolePolicyTypes,
  breaks: policyBreaks("policy", { Effect: "Permit", Action: "*", NotAction: "s3:GetObject" }),
  selects: ["role"],
  judge(resource, verdict) {
    if (!mayBeWorkload(resource, verdict.plan.name)) return;
    for (const one of statementsOf(resource, "policy", verdict, "is not set")?.all ?? []) {
      if (!isAllow(one)) continue;
      if (allButActions(one)) verdict.violation(resource, one.pathOf("NotAction"), "allows all but a few actions, and so whatever AWS invents");
      const patterns = actionsOf(one);
      const allowed = actions.filter((action) => coversAction(patterns, action));
      if (allowed.length > 0) verdict.violation(resource, one.pathOf("Action"), `allows a workload ${allowed.join(", ")}`);
    }
  },
});
