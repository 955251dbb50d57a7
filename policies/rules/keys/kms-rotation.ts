import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { keyType } from "./key-types.ts";

export const kmsRotation: ResourceRule = {
  kind: "resource",
  id: "kms-rotation",
  severity: "medium",
  enforcement: "mandatory",
  protects: "What one year's key material encrypted is all that its loss opens; without rotation it is everything ever backed up.",
  fix: "Set enableKeyRotation to true, and rotationPeriodInDays to none or at most 365.",
  types: [keyType],
  breaks: { enableKeyRotation: false, rotationPeriodInDays: 2560 },
  judge(resource, verdict) {
    verdict.property(resource, "enableKeyRotation", (value) => (value === true ? undefined : `${shown(value)}, not true`));
    // Unset is AWS's year.
    verdict.property(resource, "rotationPeriodInDays", (value) => (value === undefined || (typeof value === "number" && value <= 365) ? undefined : `${shown(value)}, more than a year`));
  },
};
