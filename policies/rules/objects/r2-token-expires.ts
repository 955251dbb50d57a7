import { unset, type ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { tokenTypes } from "./r2-tokens.ts";

export const r2TokenExpires: ResourceRule = {
  kind: "resource",
  id: "r2-token-expires",
  severity: "high",
  enforcement: "mandatory",
  protects: "A token that was stolen once and nobody missed opens the backups for ever.",
  fix: 'Set expiresOn to a time in UTC, e.g. "2027-02-28T00:00:00Z", and give the next token before it (the configuration has two terms).',
  types: tokenTypes,
  breaks: { expiresOn: unset },
  judge(resource, verdict) {
    verdict.property(resource, "expiresOn", (time) => (typeof time === "string" && /^\d{4}-\d\d-\d\dT/.test(time) && !Number.isNaN(Date.parse(time)) ? undefined : `${shown(time)}, no time`));
  },
};
