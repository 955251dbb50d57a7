import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";

export const cronSuspended: ResourceRule = {
  kind: "resource",
  id: "cron-suspended",
  severity: "critical",
  enforcement: "mandatory",
  protects: "A suspended job backs up nothing and fails nowhere: it is forgotten after the maintenance that it was suspended for, until somebody needs the backup.",
  fix: "Set spec.suspend to false; for a recovery that takes long, write a waiver that expires.",
  types: ["kubernetes:batch/v1:CronJob"],
  breaks: { "spec.suspend": true },
  judge(resource, verdict) {
    if (!verdict.production) return; // nothing is served from it
    // Unset is false by Kubernetes' own default.
    verdict.property(resource, "spec.suspend", (value) => (value === undefined || value === false ? undefined : `${shown(value)}, not false`));
  },
};
