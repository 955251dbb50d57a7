import type { Plan } from "../../plan/types.ts";
import { days } from "../../plan/units.ts";

/**
 * What the engine may set by itself where somebody turns a rule's enforcement to `remediate`: only where exactly one
 * value is right. `mend` changes the properties in place, as copying them would touch those that are unknown.
 */
export interface Remedy {
  readonly rule: string;
  mend(props: Record<string, unknown>, plan: Plan): Record<string, unknown>;
}

const switches = ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"] as const;

/** No upload outlives the run that makes it, and S3 counts whole days. */
const longestRun = (plan: Plan): number => Math.max(1, ...plan.schedules.map(({ deadline }) => Math.ceil(deadline / days(1))));

/** S3 takes no rule that is left without anything to do. */
const doesSomething = (rule: unknown): boolean => typeof rule !== "object" || rule === null || Object.keys(rule).some((key) => !["id", "status", "filter", "prefix"].includes(key));

export const remedies: readonly Remedy[] = [
  {
    rule: "s3-public-access-block",
    mend(props) {
      for (const name of switches) props[name] = true;
      return props;
    },
  },
  {
    rule: "s3-abort-multipart",
    mend(props, plan) {
      const rules: unknown[] = Array.isArray(props["rules"]) ? props["rules"] : [];
      // One that is too early would go before the one that is right: S3 does the earliest of them.
      for (const rule of rules) if (typeof rule === "object" && rule !== null && "abortIncompleteMultipartUpload" in rule) Reflect.deleteProperty(rule, "abortIncompleteMultipartUpload");
      props["rules"] = [...rules.filter(doesSomething), { id: "abort-uploads-by-policy", status: "Enabled", filter: {}, abortIncompleteMultipartUpload: { daysAfterInitiation: longestRun(plan) } }];
      return props;
    },
  },
];
