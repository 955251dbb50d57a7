import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { keyType, replicaKeyType } from "./key-types.ts";

export const kmsEnabled: ResourceRule = {
  kind: "resource",
  id: "kms-enabled",
  severity: "critical",
  enforcement: "mandatory",
  protects: "A key that is switched off makes every backup unreadable, and no new one can be written.",
  fix: "Take isEnabled, or enabled of a replica, away or set it to true, and bypassPolicyLockoutSafetyCheck to false.",
  types: [keyType, replicaKeyType],
  breaks: { isEnabled: false, enabled: false, bypassPolicyLockoutSafetyCheck: true },
  judge(resource, verdict) {
    verdict.property(resource, resource.facts.type === keyType ? "isEnabled" : "enabled", (value) => (value === undefined || value === true ? undefined : `${shown(value)}, not true`));
    verdict.property(resource, "bypassPolicyLockoutSafetyCheck", (value) => (value === undefined || value === false ? undefined : `${shown(value)}: a policy that locks everybody out would be taken`));
  },
};
