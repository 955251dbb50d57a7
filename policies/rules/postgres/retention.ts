import { pgbackrestRetention } from "../../../plan/config/pgbackrest.ts";
import type { ResourceRule } from "../../core/rule.ts";
import { shown } from "../../core/value.ts";
import { configMapType, fileSelectors, pgbackrestFiles, repositoriesOf } from "./files.ts";

/** While a new full backup is made the one before it is all there is. */
const leastFulls = 2;

export const pgbackrestKeeps: ResourceRule = {
  kind: "resource",
  id: "pgbackrest-retention",
  severity: "critical",
  enforcement: "mandatory",
  protects: "pgBackRest expires by itself, and with a full backup all that builds on it: too short a retention leaves no way back to before an error that is noticed late.",
  fix: "Set repoN-retention-full to the plan's retention of full backups, at least two of them, and repoN-retention-archive to what the recovery window needs.",
  types: [configMapType],
  breaks: {
    "data.pgbackrest.conf.global.repo*-retention-full-type": "count",
    "data.pgbackrest.conf.global.repo*-retention-full": "1",
    "data.pgbackrest.conf.global.repo*-retention-archive-type": "incr",
    "data.pgbackrest.conf.global.repo*-retention-archive": "1",
  },
  selects: [...fileSelectors, "data.pgbackrest.conf", "data.pgbackrest.conf.global"],
  judge(resource, verdict) {
    const { fullDays, archiveFulls } = pgbackrestRetention(verdict.plan);
    const fulls = Math.max(leastFulls, archiveFulls);
    const least = (value: unknown, limit: number, what: string): string | undefined => (Number(value) >= limit ? undefined : `${shown(value)}, of at least ${limit} ${what}`);
    for (const file of pgbackrestFiles(resource, verdict)) {
      for (const name of repositoriesOf(file)) {
        // Days, as the plan counts: a number of fulls is however long it took to make them.
        verdict.property(file, ["global", `${name}-retention-full-type`], (type) => (type === "time" ? undefined : `${shown(type)}, not "time"`));
        verdict.property(file, ["global", `${name}-retention-full`], (value) => least(value, Math.max(leastFulls, fullDays), "days"));
        verdict.property(file, ["global", `${name}-retention-archive-type`], (type) => (type === undefined || type === "full" ? undefined : `${shown(type)}, not "full"`));
        verdict.property(file, ["global", `${name}-retention-archive`], (value) => least(value, fulls, "full backups"));
      }
    }
  },
};
