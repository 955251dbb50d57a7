import { days } from "../../../plan/units.ts";
import { unset, type ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { tokenTypes } from "./r2-tokens.ts";

/** Seconds; with some days beside the year, so that a term can be given in time. */
const longest = days(366 + 30);

export const r2TokenExpires: ResourceRule = {
  kind: "resource",
  id: "r2-token-expires",
  severity: "high",
  enforcement: "mandatory",
  protects: "A token that was stolen once and nobody missed opens the backups for ever.",
  fix: 'Set expiresOn to a time in UTC within a year, e.g. "2027-02-28T00:00:00Z", and give the next token before it (the configuration has two terms).',
  types: tokenTypes,
  breaks: { expiresOn: unset },
  judge(resource, verdict) {
    verdict.property(resource, "expiresOn", (time) => {
      if (typeof time !== "string" || !/^\d{4}-\d\d-\d\dT/.test(time) || Number.isNaN(Date.parse(time))) return `${shown(time)}, no time`;
      const left = verdict.now === undefined ? undefined : (Date.parse(time) - verdict.now.getTime()) / 1_000;
      return left !== undefined && left > longest ? `${shown(time)}, more than a year away` : undefined;
    });
  },
};
