import { unset, type ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { tokenTypes } from "./r2-tokens.ts";

/** One bucket: `com.cloudflare.edge.r2.bucket.ACCOUNT_JURISDICTION_BUCKET`. */
const oneBucket = /^com\.cloudflare\.edge\.r2\.bucket\.[0-9a-f]{32}_[a-z-]+_([a-z0-9-]+)$/;

export const r2TokenScoped: ResourceRule = {
  kind: "resource",
  id: "r2-token-scoped",
  severity: "high",
  enforcement: "mandatory",
  protects: "A token for the account opens every bucket of it, and its DNS as well; it lies in every job's pod.",
  fix: "Name one bucket of the plan in resources of every policy, and one permission group.",
  types: tokenTypes,
  breaks: { policies: [], "policies[*].effect": "everything", "policies[*].resources": JSON.stringify({ "com.cloudflare.api.account.0123456789abcdef0123456789abcdef": "*" }), "policies[*].permissionGroups": unset },
  judge(resource, verdict) {
    const policies = resource.list("policies");
    if (policies === undefined) {
      verdict.unjudged(resource, "policies");
      return;
    }
    if (policies.length === 0) verdict.violation(resource, "policies", "is empty");
    const buckets = verdict.plan.backends.filter(({ kind }) => kind === "r2").map(({ bucket }) => bucket);
    for (const policy of policies) {
      verdict.property(policy, "effect", (effect) => (effect === "allow" || effect === "deny" ? undefined : shown(effect)));
      verdict.count(policy, "permissionGroups", (groups) => (groups === 1 ? undefined : `names ${groups} groups; expected one`));
      verdict.property(policy, "resources", (text) => {
        const names = typeof text === "string" ? keysOf(text) : [];
        const foreign = names.filter((name) => !buckets.includes(oneBucket.exec(name)?.[1] ?? ""));
        return names.length > 0 && foreign.length === 0 ? undefined : `${names.length === 0 ? shown(text) : `names ${foreign.join(", ")}`}, not one bucket of the plan`;
      });
    }
  },
};

function keysOf(json: string): readonly string[] {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? Object.keys(value) : [];
  } catch {
    return []; // whoever asks says what stands there
  }
}
