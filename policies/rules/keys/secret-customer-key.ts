import { backupsKey, keyAlias } from "../../../plan/names.ts";
import { unset, type ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";

export const secretCustomerKey: ResourceRule = {
  kind: "resource",
  id: "secret-customer-key",
  severity: "high",
  enforcement: "mandatory",
  protects: "Under AWS's own key whoever may read the secret reads it; ours is a second door, and is there in each region.",
  fix: "Set kmsKeyId, and that of each replica, to the alias of the plan's key.",
  types: ["aws:secretsmanager/secret:Secret"],
  breaks: { kmsKeyId: unset, "replicas[*].kmsKeyId": "alias/aws/secretsmanager" },
  selects: ["replicas"],
  judge(resource, verdict) {
    const alias = keyAlias(verdict.plan, backupsKey);
    const wrong = (key: unknown): string | undefined => (typeof key === "string" && (key === alias || key.endsWith(`:${alias}`)) ? undefined : `${shown(key)}, not ${alias}`);
    verdict.property(resource, "kmsKeyId", wrong);
    const replicas = resource.list("replicas");
    if (replicas === undefined) verdict.unjudged(resource, "replicas");
    for (const replica of replicas ?? []) verdict.property(replica, "kmsKeyId", wrong);
  },
};
