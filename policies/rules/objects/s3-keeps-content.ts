import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { bucketType } from "./guard-present.ts";

export const s3KeepsContent: ResourceRule = {
  kind: "resource",
  id: "s3-keeps-content",
  severity: "critical",
  enforcement: "mandatory",
  protects: "A bucket that may be destroyed with what is in it is emptied by one `pulumi destroy`, or by a replacement that somebody overlooked.",
  fix: "Take forceDestroy away: a bucket that holds something is then refused to be deleted.",
  types: [bucketType],
  breaks: { forceDestroy: true },
  judge(resource, verdict) {
    if (!verdict.production) return;
    verdict.property(resource, "forceDestroy", (value) => (value === undefined || value === false ? undefined : `${shown(value)}, not false`));
  },
};
