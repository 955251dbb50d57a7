import type { ResourceRule } from "../../core/rule.ts";

export const glacierClosed: ResourceRule = {
  kind: "resource",
  id: "glacier-closed",
  severity: "low",
  enforcement: "advisory",
  protects: "Glacier vaults are closed to accounts that had none by 2025-12-15: there AWS refuses this one, and the year of archives is kept nowhere.",
  fix: "In such an account make the plan's archive a bucket in a Glacier storage class (kind s3-glacier).",
  types: ["aws:glacier/vault:Vault"],
  breaks: {},
  judge(resource, verdict) {
    verdict.violation(resource, "", "is a vault, which not every account can create");
  },
};
